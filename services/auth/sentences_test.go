package auth

import (
	"testing"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// One login is told as one.
func TestRefusedLoginsSentence(t *testing.T) {
	for want, r := range map[string]events.LoginsRefused{
		"refused a login":                       {Attempts: 1, Addresses: 1},
		"refused 3 logins from one address":     {Attempts: 3, Addresses: 1},
		"refused 1200 logins from 12 addresses": {Attempts: 1200, Addresses: 12},
	} {
		r.Node = "n1"
		e, err := events.New(r, events.Meta{ID: "0191d1a0-0000-7000-8000-000000000009", Source: "/test", Actor: "system"})
		if err != nil {
			t.Fatal(err)
		}
		if got := service.SentencesOf([]service.Service{{Sentences: sentences}}).Say(nil, &e).String(); got != want {
			t.Errorf("it says %q, wanted %q", got, want)
		}
	}
}
