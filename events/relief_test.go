package events_test

import (
	"slices"
	"strings"
	"testing"

	"hubledger/events"
)

// What takes something away is accepted down to the last space, what adds something
// is not; of a fact that may be either, the data say.
func TestRelief(t *testing.T) {
	t.Parallel()
	takes := []string{"deleted", "revoked", "withdrawn", "erased", "swept"}
	adds := []string{"created", "given", "granted", "issued", "pushed", "tagged", "restored", "described", "initialized", "adopted", "counted", "refused"}
	star := "star.withdrawn" // no right
	for _, typ := range events.Types {
		family, _, err := events.SplitType(typ.Prototype.EventType())
		if err != nil {
			t.Fatal(err)
		}
		_, fact, _ := strings.Cut(family, ".")
		relieves := events.Relieves(newEvent(t, typ.Prototype))
		if slices.Contains(takes, fact) && !relieves && family != star || slices.Contains(adds, fact) && relieves {
			t.Errorf("%s: accepted while the reserve is used up: %t", family, relieves)
		}
	}
	for _, c := range []struct {
		payload events.Payload
		want    bool
	}{
		{events.UserStandingChanged{Admin: true}, false},
		{events.UserStandingChanged{Admin: true, Disabled: true}, true},
		{events.UserStandingChanged{}, true}, // no administrator any more
		{events.RepositoryVisibilityChanged{Visibility: events.Private}, true},
		{events.RepositoryVisibilityChanged{Visibility: events.Public}, false},
		{events.UserPasswordChanged{}, true},
		{events.UserSecondFactorChanged{}, true},
		{events.UserEmailChanged{Set: true}, false},
		{events.UserEmailChanged{}, true},
		{events.QuotaSet{}, true},
		{events.RepositoryPolicyChanged{}, true},
	} {
		if got := events.Relieves(newEvent(t, c.payload)); got != c.want {
			t.Errorf("%+v: %t", c.payload, got)
		}
	}
	if events.Relieves(&events.Event{}) {
		t.Error("an event of no type relieves")
	}
}

func newEvent(t *testing.T, p events.Payload) *events.Event {
	t.Helper()
	e, err := events.New(p, events.Meta{ID: "id", Source: "/test"})
	if err != nil {
		t.Fatal(err)
	}
	return &e
}
