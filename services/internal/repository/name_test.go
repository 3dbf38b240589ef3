package repository_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/services/internal/repository"
)

func TestParseName(t *testing.T) {
	long := strings.Repeat("x", repository.MaxNameLength-6)
	for name, want := range map[string]repository.Name{
		"alice/app":         {Namespace: "alice", Full: "alice/app"},
		"alice/app/web":     {Namespace: "alice", Full: "alice/app/web"},
		"a0/b-c.d_e__f--g":  {Namespace: "a0", Full: "a0/b-c.d_e__f--g"},
		"busybox":           {Namespace: "library", Full: "busybox"},
		"library/busybox":   {Namespace: "library", Full: "busybox"},
		"library/busybox/x": {Namespace: "library", Full: "library/busybox/x"},
		"library":           {Namespace: "library", Full: "library"},
		"alice/users":       {Namespace: "alice", Full: "alice/users"},
		"alice/" + long:     {Namespace: "alice", Full: "alice/" + long},
	} {
		if got, err := repository.ParseName(name); err != nil || got != want {
			t.Errorf("%q is %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "/", "alice/", "/alice", "alice//app", "Alice/app", "alice/App", "a b", "a/..", "../a", "a/./b", "a/-b", "a-/b",
		"a/b_", "a___b", "a..b", "a._b", "ä/b", "a\x00b", "a/b\n", "a:b", "a@b", "alice/" + long + "x",
		"users", "users/app", "auth/app", "repositories/app", "namespaces/app", "library/users"} {
		if got, err := repository.ParseName(name); !errors.Is(err, repository.ErrName) {
			t.Errorf("%q is %+v, %v", name, got, err)
		}
	}
}

// What clients can write is told apart from what they refuse themselves.
func TestUnusableNames(t *testing.T) {
	for name, want := range map[string]bool{"users/app": true, "auth": true, "alice/" + strings.Repeat("x", repository.MaxNameLength): true, "Alice/app": false, "a//b": false} {
		if _, err := repository.ParseName(name); errors.Is(err, repository.ErrUnusable) != want || !errors.Is(err, repository.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCheckTag(t *testing.T) {
	for _, tag := range []string{"latest", "1", "1.0", "_x", "A-b_c.d", "asof.1", "1.asof", strings.Repeat("x", 128)} {
		if err := repository.CheckTag(tag); err != nil {
			t.Errorf("%q: %v", tag, err)
		}
	}
	for _, tag := range []string{"", ".x", "-x", "a b", "a/b", "a:b", "a~b", "ä", "x\n", "app.asof.20261101T120000Z", strings.Repeat("x", 129)} {
		if err := repository.CheckTag(tag); !errors.Is(err, repository.ErrTag) {
			t.Errorf("%q: %v", tag, err)
		}
	}
}
