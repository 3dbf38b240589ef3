package auth_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/auth"
	"hubledger/services/internal/account"
)

func TestInitialize(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	first, err := h.Initialize(ctx)
	if err != nil || !first.Created || first.Name != "admin" || len(first.Password) < 20 || first.PasswordFile != h.config.PasswordFile {
		t.Fatalf("%+v, %v", first, err)
	}
	info, err := os.Stat(first.PasswordFile)
	if err != nil || info.Mode().Perm() != 0o600 || readPassword(t, h) != first.Password {
		t.Fatalf("%v, %v", info, err)
	}
	p, err := h.Authenticate(request(t, "GET", "/", "", basic("admin", first.Password)))
	if err != nil || !p.Admin {
		t.Fatalf("%+v, %v", p, err)
	}
	before, err := h.log.LastSeq(ctx)
	check(t, err)
	again, err := h.Initialize(ctx)
	if err != nil || again.Created || again.Password != first.Password {
		t.Errorf("again: %+v, %v", again, err)
	}
	if after, err := h.log.LastSeq(ctx); err != nil || after != before {
		t.Errorf("called again it made %d events, %v", after-before, err)
	}
	h.done(h.SetPassword(ctx, by, p.ID, "the-admin's-own-choice"))
	if _, err := os.Stat(first.PasswordFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if again, err := h.Initialize(ctx); err != nil || again.Password != "" || again.PasswordFile != "" {
		t.Errorf("after the change: %+v, %v", again, err)
	}
	check(t, os.WriteFile(first.PasswordFile, []byte(first.Password), 0o600))
	if again, err := h.Initialize(ctx); err != nil || again.Password != "" {
		t.Errorf("a password that is none is shown: %+v, %v", again, err)
	}
}

// Hashing ahead leaves nothing behind, and what it made is the password.
func TestHashFirst(t *testing.T) {
	h := start(t)
	before, err := h.log.LastSeq(t.Context())
	check(t, err)
	h.HashFirst(t.Context())
	if after, err := h.log.LastSeq(t.Context()); err != nil || after != before {
		t.Errorf("%d events, %v", after-before, err)
	}
	if _, err := os.Stat(h.config.PasswordFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the password was written down: %v", err)
	}
	first, err := h.Initialize(t.Context())
	if err != nil || readPassword(t, h) != first.Password {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := h.Authenticate(request(t, "GET", "/", "", basic("admin", first.Password))); err != nil {
		t.Error(err)
	}
}

func TestInitializeWithTheOperatorsPassword(t *testing.T) {
	h := start(t)
	c := h.config
	c.AdminPassword = "short"
	if _, err := auth.New(c).HashCheaply().Initialize(t.Context()); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("%v", err)
	}
	c.AdminPassword = "the operator's choice"
	s := auth.New(c).HashCheaply()
	first, err := s.Initialize(t.Context())
	if err != nil || !first.Created || first.Password != "" || first.PasswordFile != "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := os.Stat(c.PasswordFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the operator's password was written down: %v", err)
	}
	if _, err := s.Authenticate(request(t, "GET", "/", "", basic("admin", c.AdminPassword))); err != nil {
		t.Error(err)
	}
}

// errKilled stands for the end of the process.
var errKilled = errors.New("killed")

// A mortal ends a process before one of its writes.
type mortal struct {
	auth.Log
	auth.Secrets
	left *int
}

func (m mortal) hit() error {
	if *m.left--; *m.left < 0 {
		return errKilled
	}
	return nil
}

func (m mortal) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if err := m.hit(); err != nil {
		return 0, err
	}
	return m.Log.Append(ctx, e, expect)
}

func (m mortal) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := m.hit(); err != nil {
		return 0, err
	}
	return m.Secrets.Update(ctx, key, value, revision)
}

// Ended before any of its writes and called again, there is one administrator
// with the password that is shown.
func TestInitializeIsKilled(t *testing.T) {
	for after := 0; ; after++ {
		h := start(t)
		left := after
		c := h.config
		m := mortal{h.log, h.secrets, &left}
		c.Log, c.Secrets = m, m
		_, err := auth.New(c).HashCheaply().Initialize(t.Context())
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatalf("after %d: %v", after, err)
		}
		first, err2 := h.Initialize(t.Context())
		if err2 != nil || first.Created == (err == nil) {
			t.Fatalf("after %d: %+v, %v", after, first, err2)
		}
		if p, err := h.Authenticate(request(t, "GET", "/", "", basic("admin", first.Password))); err != nil || !p.Admin {
			t.Errorf("after %d: %+v, %v", after, p, err)
		}
		if err == nil {
			if after != 3 {
				t.Errorf("there were %d writes", after)
			}
			return
		}
	}
}

// Of nodes that start at once, one has the password.
func TestInitializeAtOnce(t *testing.T) {
	h := start(t)
	var firsts [4]auth.First
	var work sync.WaitGroup
	for i := range firsts {
		c := h.config
		c.PasswordFile = filepath.Join(t.TempDir(), "password")
		work.Go(func() {
			var err error
			if firsts[i], err = auth.New(c).HashCheaply().Initialize(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	shown := 0
	for _, f := range firsts {
		if f.Password == "" {
			continue
		}
		shown++
		if _, err := h.Authenticate(request(t, "GET", "/", "", basic("admin", f.Password))); err != nil {
			t.Error(err)
		}
	}
	if shown != 1 {
		t.Errorf("%d show a password", shown)
	}
}

// A namespace "admin" that a push made before there were accounts is adopted.
func TestInitializeAdopts(t *testing.T) {
	h := start(t)
	h.repository("admin/app", events.Private)
	first, err := h.Initialize(t.Context())
	check(t, err)
	p, err := h.Authenticate(request(t, "GET", "/", "", basic("admin", first.Password)))
	if err != nil || !p.Admin {
		t.Fatalf("%+v, %v", p, err)
	}
	if r, err := h.read.Repository(t.Context(), "admin/app"); err != nil || r.Namespace != p.ID {
		t.Errorf("%+v, %v", r, err)
	}
}
