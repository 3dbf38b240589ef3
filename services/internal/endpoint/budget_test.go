package endpoint

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hubledger/services/internal/access"
)

// Budgets are kept of a bounded number of accounts. Those that wrote nothing
// for a while are forgotten before those that did.
func TestBudgetsAreBounded(t *testing.T) {
	b, now := newBudget(), time.Now()
	spend := func(id string, at time.Time) error {
		return b.take(&Call{Principal: access.Principal{Kind: access.User, ID: id}}, at)
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
	var p *Problem
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
