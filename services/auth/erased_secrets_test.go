package auth_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	"hubledger/streams"
	"hubledger/streams/messages"
	"hubledger/streams/secrets"
)

// A killable is auth with the accounts that it reads, in a life that may be
// killed when a secret is destroyed.
type killable struct {
	*auth.Auth
	read   accounts.Reader
	bucket *secrets.Bucket
	wait   func(seq uint64)
}

// steps makes the destruction of a secret a step.
type steps struct {
	*secrets.Bucket
	life *processtest.Life
}

func (s steps) Destroy(ctx context.Context, key string) error {
	return s.life.Step(func() error { return s.Bucket.Destroy(ctx, key) })
}

func live(t testing.TB, l *processtest.Life) *killable {
	t.Helper()
	ctx := context.Background()
	bucket, err := streams.OpenSecrets(ctx, l.Log.Log, filepath.Join(l.Dir, "secrets.key"))
	check(t, err)
	used, err := activity.Open(ctx, l.Store)
	check(t, err)
	db, view := l.ReadModel(&accounts.Projection)
	read := accounts.Reader{DB: db}
	rights := access.New(access.Config{Read: read, View: view, Log: l.Log.Log})
	k := &killable{read: read, bucket: bucket, wait: func(seq uint64) { check(t, view.Wait(ctx, seq)) }}
	k.Auth = auth.New(auth.Config{Log: l.Log, Read: read, View: view, Rights: rights, Secrets: steps{bucket, l}, Activity: used}).HashCheaply()
	return k
}

// erased is a world in which users were erased, by a process that ended before
// it destroyed their secrets. Bob stays.
var erased = processtest.World{
	Prepare: func(t testing.TB, l *processtest.Life) {
		ctx, k := context.Background(), live(t, l)
		for _, name := range []string{"admin", "alice", "bob", "carol"} {
			id, seq, err := account.CreateUser(ctx, l.Log, by, name)
			check(t, err)
			k.wait(seq)
			seq, err = k.SetPassword(ctx, by, id, alicesPassword)
			check(t, err)
			k.wait(seq)
			seq, err = k.SetEmail(ctx, by, id, name+"@example.test")
			check(t, err)
			if name == "alice" || name == "carol" {
				seq, err = account.Erase(ctx, l.Log, by, anyAdmin{k.read}, id)
				check(t, err)
			}
			k.wait(seq)
		}
	},
	Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).ErasedSecrets() },
	State: func(t testing.TB, l *processtest.Life) string {
		keys, err := live(t, l).bucket.Keys(context.Background(), "user.")
		check(t, err)
		slices.Sort(keys)
		return strings.Join(keys, " ")
	},
}

func TestErasedSecretsKilledAtEveryStep(t *testing.T) { processtest.KillAtEveryStep(t, erased) }

func TestErasedSecretsKilledProcess(t *testing.T) { processtest.KillProcess(t, erased, 3) }

// Only the secrets of the erased go.
func TestErasedSecrets(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	_, err := h.Initialize(ctx)
	check(t, err)
	id, other := h.user("alice", alicesPassword), h.user("bob", "bobs-long-password")
	h.done(account.Erase(ctx, h.log, by, h.read, id))
	m := h.ErasedSecrets()
	due, err := m.Due(ctx, time.Now())
	check(t, err)
	if len(due) != 1 || due[0].Key != id {
		t.Fatalf("due: %+v, not %s", due, id)
	}
	_, err = m.Do(ctx, due[0])
	check(t, err)
	for user, want := range map[string]int{id: 0, other: 1} {
		if keys, err := h.secrets.Keys(ctx, "user."+user+"."); err != nil || len(keys) != want {
			t.Errorf("%q are left, %v", keys, err)
		}
	}
	if due, err := m.Due(ctx, time.Now()); err != nil || len(due) != 0 {
		t.Errorf("still due: %+v, %v", due, err)
	}
}

// An erasure wakes the manager, long before it looks by itself.
func TestErasureWakes(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	_, err := h.Initialize(ctx)
	check(t, err)
	r, err := process.New(ctx, process.Config{Store: h.ops, Log: h.log,
		Subscribe: messages.Source{Log: h.log, Logger: h.config.Logger}.Subscriber, Logger: h.config.Logger}, h.ErasedSecrets())
	check(t, err)
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { check(t, r.Run(running)) })
	defer func() { stop(); work.Wait() }()
	id := h.user("alice", alicesPassword)
	for {
		if s, err := r.Status(ctx); err != nil || s.Leading {
			break
		}
		time.Sleep(time.Millisecond)
	}
	h.done(account.Erase(ctx, h.log, by, h.read, id))
	for {
		keys, err := h.secrets.Keys(ctx, "user."+id+".")
		check(t, err)
		if len(keys) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
