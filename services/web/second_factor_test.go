package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/totp"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// A person sets an authenticator up, signs in with it, and turns it off, by forms alone.
func TestSecondFactor(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	const at = "/account/second-factor"
	b := webtest.As(t, hub, servertest.Admin, servertest.Password)
	page := b.Get(at).Is(http.StatusOK).Says("Turn the second factor on")
	key := page.Between(`name="key" value="`, `"`)
	if again := b.Get(at).Between(`name="key" value="`, `"`); again == key {
		t.Error("a page that was left has left a key")
	}
	if !strings.Contains(page.Text, "secret="+key) || !strings.Contains(page.Text, `class="qr"`) {
		t.Error("the page has no link or no picture of the key")
	}
	raw, err := totp.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	now := totp.Step(time.Now())
	code := func(k int) string { return totp.Code(raw, now+uint64(k)) }
	on := func(password, code string) *webtest.Answer {
		return b.Post(at, "do", "on", "key", key, "password", password, "code", code)
	}
	if kept := on(servertest.Password, "000000x").Is(http.StatusUnprocessableEntity).Says("is the clock right").Between(`name="key" value="`, `"`); kept != key {
		t.Error("after a wrong code the page has another key than the app")
	}
	on("wrong", code(0)).Is(http.StatusForbidden).Says("the password is wrong").Lacks(`value="wrong"`)
	made := on(servertest.Password, code(0)).Is(http.StatusOK).Says("The second factor is on", "10 recovery codes left").Lacks(key)
	recovery := made.Between("<li><code>", "</code>")
	first := made
	second := made.Between("<li><code>"+recovery+"</code></li><li><code>", "</code>")
	b.Get(at).Is(http.StatusOK).Lacks(recovery, key)

	other := webtest.NewBrowser(t, hub)
	other.Get("/sign-in/code?next=%2Fkeys").Leads("/sign-in")
	other.Post("/sign-in/code", "do", "code", "code", recovery).Leads("/sign-in")
	signIn := func() {
		t.Helper()
		if a := other.Post("/sign-in", "do", "sign-in", "name", servertest.Admin, "password", servertest.Password, "next", "/account").Leads("/sign-in/code"); !strings.Contains(a.Location, "next=%2Faccount") {
			t.Errorf("it leads to %s", a.Location)
		}
	}
	signIn()
	other.Get("/account").Leads("/sign-in") // the password alone opens nothing
	other.Get("/api/v1/user").Is(http.StatusUnauthorized)
	other.Get("/sign-in/code").Is(http.StatusOK).Says("authenticator app")
	other.Post("/sign-in/code", "do", "code", "code", "wrong").Is(http.StatusForbidden).Says("wrong or was used before").Lacks(`value="wrong"`)
	other.Post("/sign-in/code", "do", "code", "code", code(1), "next", "/account").Leads("/account")
	other.Get("/account").Is(http.StatusOK).Says("code of your authenticator app")
	other.Get("/sign-in/code").Leads("/sign-in") // the half is gone
	signIn()
	other.Post("/sign-in/code", "do", "code", "code", code(1)).Is(http.StatusForbidden)
	other.Post("/sign-in/code", "do", "code", "code", recovery, "next", "//elsewhere.example").Leads("/")

	b.Post(at, "do", "off", "password", servertest.Password, "code", "").Is(http.StatusUnprocessableEntity)
	b.Post(at, "do", "off", "password", servertest.Password, "code", recovery).Is(http.StatusForbidden).Says("wrong or was used before")
	b.Post(at, "do", "renew", "password", servertest.Password, "code", "").Is(http.StatusUnprocessableEntity)
	b.Post(at, "do", "renew", "password", "wrong", "code", second).Is(http.StatusForbidden).Says("the password is wrong")
	made = b.Post(at, "do", "renew", "password", servertest.Password, "code", second).Is(http.StatusOK).Says("the previous ones no longer work", "10 recovery codes left").Lacks(key, recovery, second)
	fresh := made.Between("<li><code>", "</code>")
	third := strings.Split(first.Text, "<li><code>")[3][:19]
	b.Get(at).Is(http.StatusOK).Lacks(fresh)
	b.Post(at, "do", "off", "password", servertest.Password, "code", third).Is(http.StatusForbidden)
	b.Post(at, "do", "off", "password", servertest.Password, "code", fresh).Leads(at)
	webtest.As(t, hub, servertest.Admin, servertest.Password)
}

// An administrator turns off what somebody has lost.
func TestLostSecondFactor(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddSecondFactor()
	town.Admin.Get("/users/carol").Says("Turn the second factor of carol off")
	town.Alice.Post("/users/carol", "do", "second-factor").Leads("/n/carol")
	town.Admin.Get("/users/carol").Says("Turn the second factor of carol off") // it is still on
	town.Admin.Post("/users/carol", "do", "second-factor").Leads("/users/carol")
	webtest.As(t, town.Server, "carol", "the password of carol")
	seq := town.LastSeq()
	found := false
	for k := seq; k > seq-4 && !found; k-- {
		found = strings.Contains(town.Admin.Get(fmt.Sprintf("/events/%d", k)).Words(), "turned the second factor of carol off")
	}
	if !found {
		t.Error("the log does not say that it was turned off")
	}
}
