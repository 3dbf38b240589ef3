package system_test

import (
	"log/slog"
	"net/http"
	"testing"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/readmodel"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// A build that was prepared is compared with the one in use, and takes its place, by an
// administrator's buttons.
func TestCompareAndSwitch(t *testing.T) {
	data := t.TempDir()
	hub := servertest.Start(t, server.Config{Data: data})
	hub.Client().MustPush(t, "admin/app", "1.0", registrytest.NewImage("layer"))
	hub.CatchUp()
	admin := webtest.As(t, hub, servertest.Admin, servertest.Password)
	const page = "/system/projections/images"
	admin.Get(page).Is(http.StatusOK).Says("hubledger projections prepare images").Lacks("Compare them")
	admin.Post(page, "do", "compare").Is(http.StatusConflict).Says("no such build")
	err := bulk.Prepare(t.Context(), bulk.Config{Projection: &images.Projection, Storage: readmodel.Storage(data, ""), Build: projections.Next,
		Source: hub.Log(), Generation: hub.Log().Generation(), Logger: slog.New(slog.DiscardHandler)}, func(uint64, uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	admin.Get(page).Is(http.StatusOK).Says("A build is prepared", "Compare them")
	hub.Client().MustPush(t, "admin/app", "2.0", registrytest.NewImage("pushed since"))
	hub.CatchUp()
	admin.Post(page, "do", "compare").Is(http.StatusOK).Says("Both builds give the same")
	admin.Post(page, "do", "switch").Leads(page)
	admin.Get(page).Is(http.StatusOK).Says("Use the previous build")
	admin.Get("/r/admin/app/-/tags/2.0").Is(http.StatusOK)
	admin.Get("/system").Is(http.StatusOK).Says("Garbage collection", "Nothing was freed yet")
}

// Readers of the log are listed, refused where nobody can connect, and revoked.
func TestReaders(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddGit()
	town.Admin.Get("/readers").Is(http.StatusOK).Says("auditor", "not connected")
	town.Admin.Post("/readers", "do", "add", "name", "second", "key", "U").Is(http.StatusConflict).Says("--nats-listen").Between(`value="second"`, ">")
	town.Admin.Get("/readers/other/revoke").Is(http.StatusNotFound)
	town.Admin.Post("/readers/auditor/revoke", "do", "revoke").Leads("/readers")
	town.Admin.Get("/readers").Is(http.StatusOK).Lacks("auditor/revoke")
	town.Bob.Get("/readers").Is(http.StatusForbidden)
}
