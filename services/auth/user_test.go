package auth_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

func TestEmailAndErase(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	_, err := h.Initialize(ctx)
	check(t, err)
	id := h.user("alice", alicesPassword)
	for _, bad := range []string{"x", "a@b\r\n", "Alice <alice@example.test>", "@", "a@b", "a@b.test\r\n", "\"a\r\nb\"@b.test",
		strings.Repeat("a", 250) + "@example.test"} {
		if _, err := h.SetEmail(ctx, by, id, bad); !errors.Is(err, account.ErrEmail) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	h.done(h.SetEmail(ctx, by, id, "alice@example.test"))
	if e, err := h.Email(ctx, id); err != nil || e != "alice@example.test" {
		t.Errorf("%q, %v", e, err)
	}
	h.done(h.SetEmail(ctx, by, id, ""))
	if e, err := h.Email(ctx, id); err != nil || e != "" {
		t.Errorf("%q, %v", e, err)
	}
	h.done(h.SetEmail(ctx, by, id, "alice@example.test"))

	h.done(h.Erase(ctx, by, id))
	if keys, err := h.secrets.Keys(ctx, "user."+id+"."); err != nil || len(keys) != 0 {
		t.Errorf("%q are left, %v", keys, err)
	}
	if _, err := h.SetPassword(ctx, by, id, "another-password"); !errors.Is(err, accounts.ErrNotFound) {
		t.Errorf("a password for an erased user: %v", err)
	}
	if _, err := h.Erase(ctx, by, firstAdminID(t, h)); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("erased the last administrator: %v", err)
	}
}
