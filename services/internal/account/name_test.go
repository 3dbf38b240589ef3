package account_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/services/internal/account"
	"hubledger/services/internal/repository"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"al", "alice", "a-b", "a.b_c-d", "0x", strings.Repeat("x", 40)} {
		if err := account.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "a", "_", "A", "Alice", "a--b", "a__b", "a..b", "-a", "a-", ".a", "a.", "a b", "a/b", "a+b", "ä", "a\n", "a\x00b",
		"users", "auth", "repositories", "namespaces", "library", "anonymous", "operator", "system", "hub", strings.Repeat("x", 41)} {
		if err := account.CheckName(name); !errors.Is(err, account.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, ok := range map[string]bool{"a": true, "library": true, "": false, "a+b": false, strings.Repeat("x", 41): false} {
		if err := account.CheckLocalName(name); (err == nil) != ok {
			t.Errorf("local %q: %v", name, err)
		}
	}
}

// Whatever name an account can have begins names of repositories, of its own
// namespace, and can be told from a robot account's.
func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"alice", "a.b-c_d", "library", "acme+ci", "a--b", "\x00", "users"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := account.CheckName(s); err != nil {
			if !errors.Is(err, account.ErrName) {
				t.Fatal(err)
			}
			return
		}
		name, err := repository.ParseName(s + "/app")
		if err != nil || name.Namespace != s || name.Full != s+"/app" {
			t.Errorf("%q: %+v, %v", s, name, err)
		}
		if strings.ContainsAny(s, "+/:@ ") || account.CheckLocalName(s) != nil {
			t.Errorf("%q is allowed", s)
		}
	})
}
