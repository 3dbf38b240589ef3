package web_test

import (
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// Somebody who has not read anything signs in on an empty hub, finds the image that was
// pushed by the commands of the first page, gives a colleague access, deletes a tag and undoes it, and
// reads who did what: on a phone, by the keyboard alone and without scripts. TestFirstBuildOnAPhone of
// services/cmd goes on with a git repository and its first build.
func TestWalkOnAPhone(t *testing.T) {
	webtest.NeedSoak(t)
	hub := servertest.Start(t, server.Config{})
	c := webtest.OpenChromium(t, hub, nil)
	c.Window(360, 740, false)
	c.Scripts(false)
	c.SignInByKeyboard(servertest.Admin, servertest.Password)
	for _, command := range []string{"docker login", "docker tag", "docker push"} {
		c.Reach("CODE " + command)
	}
	hub.Client().MustPush(t, "admin/busybox", "latest", registrytest.NewImage("layer"))
	webtest.As(t, hub, servertest.Admin, servertest.Password).Post("/users", "do", "create", "name", "bob")
	hub.CatchUp()
	c.Open("/")
	c.Reach("INPUT Find")
	c.Key("admin/busybox\r")
	c.Arrive("/r/admin/busybox")
	c.Follow("A Access", "/-/access")
	c.Reach("INPUT Who")
	c.Key("bob")
	c.Follow("Give the role", "?done=")
	c.Follow("A Tags", "/-/tags")
	c.Reach("Select latest")
	c.Key(" ")
	c.Follow("Delete the selected", "/-/delete-tags?tag=latest")
	c.Follow("Delete 1 tag", "/-/tags?done=")
	c.Follow("Undo: restore latest", "/-/trash?done=")
	c.Follow("A Audit log", "/events")
	for _, said := range []string{"admin restored the tag admin/busybox:latest", "admin deleted the tag admin/busybox:latest", "admin granted bob the role read on admin/busybox", "admin pushed admin/busybox:latest"} {
		if text := c.Text(); !strings.Contains(text, said) {
			t.Errorf("the audit log does not say %q: %s", said, text)
		}
	}
}
