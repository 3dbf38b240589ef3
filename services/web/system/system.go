// Package system has the pages of the hub itself, for its administrators.
package system

import (
	"embed"
	"net/http"
	"net/url"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	site.Add(views,
		frame.Page{Pattern: "/system", Permission: access.HubAdmin, Change: access.HubAdmin, Cost: budget.List, View: "views/system.html", Section: "system", Show: show,
			Do: map[string]frame.Do{"retry": retry}},
		frame.Page{Pattern: "/system/projections/{projection}", Permission: access.HubAdmin, Change: access.HubAdmin, Cost: budget.List, View: "views/projection.html", Section: "system", Show: showProjection,
			Do: map[string]frame.Do{"switch": switchTo(false), "back": switchTo(true), "compare": compare}},
		frame.Page{Pattern: "/readers", Permission: access.HubAdmin, Change: access.HubAdmin, Cost: budget.List, View: "views/readers.html", Section: "system", Show: showReaders,
			Do: map[string]frame.Do{"add": addReader}},
		frame.Page{Pattern: "/readers/{reader}/revoke", Permission: access.HubAdmin, Change: access.HubAdmin, Cost: budget.List, View: "views/revoke_reader.html", Section: "system", Show: showReader,
			Do: map[string]frame.Do{"revoke": revokeReader}},
	)
}

type systemPage struct {
	apitypes.System
	Swept []apitypes.Event // the latest collections of garbage that freed something
}

// Setting is the value of an option of serve, "" when it is not known.
func (p systemPage) Setting(name string) string {
	for _, s := range p.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

func show(v *frame.Visit) (any, error) {
	s, err := frame.Get[apitypes.System](v, "/system", nil)
	if err != nil {
		return nil, err
	}
	swept, err := frame.Get[apitypes.EventPage](v, "/events", url.Values{"q": {"type:blobs.swept"}, "limit": {"5"}})
	return systemPage{s, swept.Items}, err
}

func retry(v *frame.Visit) (string, error) {
	_, err := v.Send(http.MethodPost, frame.Path("system", "dead-letters", v.Sent.Get("manager"), "retry"), apitypes.RetryRequest{Task: v.Sent.Get("task")}, nil)
	return "/system#dead-letters", err
}

// A projection is one read model with its builds, by what may be done with them.
type projection struct {
	apitypes.SystemProjection
	Prepared, Previous *apitypes.SystemBuild
}

func showProjection(v *frame.Visit) (any, error) {
	s, err := frame.Get[apitypes.System](v, "/system", nil)
	if err != nil {
		return nil, err
	}
	for _, p := range s.Projections {
		if p.Name != v.Path("projection") {
			continue
		}
		shown := projection{SystemProjection: p}
		for k, b := range p.Builds {
			switch {
			case b.Version != p.Version:
			case b.Build == "prepared":
				shown.Prepared = &p.Builds[k]
			case b.Build == "previous":
				shown.Previous = &p.Builds[k]
			}
		}
		return shown, nil
	}
	return nil, endpoint.NotFound()
}

// compare shows in what the prepared build differs from the one in use.
func compare(v *frame.Visit) (string, error) {
	var c apitypes.SystemComparison
	_, err := v.Send(http.MethodPost, frame.Path("system", "projections", v.Path("projection"), "compare"), nil, &c)
	if err == nil {
		v.Made = c
	}
	return "", err
}

func switchTo(back bool) frame.Do {
	return func(v *frame.Visit) (string, error) {
		_, err := v.Send(http.MethodPost, frame.Path("system", "projections", v.Path("projection"), "switch"), apitypes.SwitchRequest{Back: back}, nil)
		return v.Request.URL.Path, err
	}
}
