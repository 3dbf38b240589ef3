package account_test

import (
	"testing"

	"hubledger/services/internal/account"
)

func TestCheckEmail(t *testing.T) {
	for _, good := range []string{"", "alice@example.com", "a.b+c@sub.example.org"} {
		if err := account.CheckEmail(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"alice", "alice@", "@example.com", "Alice <alice@example.com>", "a@b", "a@b.c\nBcc: x@y.z", "a b@c.d", "<a@b.c>"} {
		if account.CheckEmail(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
