package api

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hubledger/services/internal/access"
)

// The book that is kept of accounts is bounded, and who wrote nothing for a
// while goes out of it before who did.
func TestBudgetsAreBounded(t *testing.T) {
	b, now := newBudget(), time.Now()
	spend := func(id string, at time.Time) error {
		return b.spend(&call{p: access.Principal{Kind: access.User, ID: id}}, at)
	}
	for n := range maxBudgets - 1 {
		if err := spend(fmt.Sprint(n), now); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Minute)
	for range writesAtOnce {
		if err := spend("busy", later); err != nil {
			t.Fatal(err)
		}
	}
	if err := spend("new", later); err != nil || len(b.accounts) != 2 {
		t.Errorf("%v, %d accounts", err, len(b.accounts))
	}
	var p *problem
	if err := spend("busy", later); !errors.As(err, &p) || p.Status != 429 || p.headers.Get("Retry-After") != "1" {
		t.Errorf("%v", err)
	}
	for n := range 2 * maxBudgets { // all of them busy
		if err := spend(fmt.Sprint("other ", n), later); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.accounts) > maxBudgets {
		t.Errorf("%d accounts", len(b.accounts))
	}
	if err := spend("busy", later.Add(time.Second)); err != nil {
		t.Error(err)
	}
}
