package activity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hubledger/projections/pgtest"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/operations"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// A store is closed with the operational store below it.
type store struct {
	*activity.Store
	ops *operations.Store
}

func (s store) Close() error { return errors.Join(s.Store.Close(), s.ops.Close()) }

// An opener opens one store, again and again.
type opener func(t *testing.T) store

func onEach(t *testing.T, test func(t *testing.T, open opener)) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			test(t, func(t *testing.T) store { return open(t, c) })
		})
	}
}

var configs = map[string]func(t *testing.T) operations.Config{
	"sqlite": func(t *testing.T) operations.Config {
		return operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)}
	},
	"postgres": func(t *testing.T) operations.Config { return operations.Config{PostgresURL: postgres.URL(t)} },
}

func open(t *testing.T, c operations.Config) store {
	t.Helper()
	ops, err := operations.Open(t.Context(), c)
	check(t, err)
	s, err := activity.Open(t.Context(), ops)
	check(t, err)
	return store{s, ops}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUsed(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, s := t.Context(), open(t)
		node := s.Node()
		at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		s.Touch("a", at)
		s.Touch("a", at.Add(-time.Hour))
		s.Touch("b", at)
		used, err := s.LastUsed(ctx, "a", "b", "never")
		if err != nil || len(used) != 2 || !used["a"].Equal(at) || !used["b"].Equal(at) {
			t.Fatalf("%v, %v", used, err)
		}
		s.Touch("a", at.Add(-time.Minute)) // from a node that is late
		check(t, s.Flush(ctx))
		s.Touch("b", at.Add(time.Minute))
		check(t, s.Close())
		s = open(t)
		if s.Node() != node || node == "" {
			t.Errorf("node %q was %q", s.Node(), node)
		}
		used, err = s.LastUsed(ctx, "a", "b")
		if err != nil || !used["a"].Equal(at) || !used["b"].Equal(at.Add(time.Minute)) {
			t.Errorf("after a restart: %v, %v", used, err)
		}
		check(t, s.Forget(ctx, "a"))
		if used, err := s.LastUsed(ctx, "a"); err != nil || len(used) != 0 {
			t.Errorf("forgotten: %v, %v", used, err)
		}
		check(t, s.Close())
		s.Touch("c", at)
		if err := s.Flush(ctx); err == nil {
			t.Error("written after the end")
		}
	})
}

// What is touched is written while Run runs, without being asked for.
func TestRunWrites(t *testing.T) {
	c := configs["postgres"](t)
	s, other := open(t, c), open(t, c)
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { s.Run(ctx, func(err error) { t.Error(err) }) })
	s.Touch("a", time.Now())
	for {
		used, err := other.LastUsed(t.Context(), "a")
		check(t, err)
		if len(used) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	work.Wait()
	check(t, errors.Join(s.Close(), other.Close()))
}

const key = "0b1d8f1e-6a4e-4e3a-8f5c-2f4b8f0c7d11"

func TestAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, s, now := t.Context(), open(t), time.Now()
		request := []byte("POST /api/v1/tokens {}")
		prior, claim, err := s.Begin(ctx, "user 1", key, request, now)
		if err != nil || prior != nil || claim == nil {
			t.Fatalf("%v, %v, %v", prior, claim, err)
		}
		if _, _, err := s.Begin(ctx, "user 1", key, request, now); !errors.Is(err, activity.ErrInFlight) {
			t.Errorf("while it is worked on: %v", err)
		}
		if _, _, err := s.Begin(ctx, "user 1", key, []byte("other"), now); !errors.Is(err, activity.ErrDifferentRequest) {
			t.Errorf("another request while it is worked on: %v", err)
		}
		want := activity.Answer{Status: 201, Header: http.Header{"Location": {"/x"}}, Body: []byte(`{"token":"hlt_planted"}`)}
		check(t, claim.Finish(ctx, want, now))
		check(t, claim.Abandon(ctx)) // too late to change anything
		check(t, s.Close())
		s = open(t)
		prior, claim, err = s.Begin(ctx, "user 1", key, request, now)
		if err != nil || claim != nil || prior.Status != 201 || prior.Header.Get("Location") != "/x" || !bytes.Equal(prior.Body, want.Body) {
			t.Fatalf("%+v, %v, %v", prior, claim, err)
		}
		if _, _, err := s.Begin(ctx, "user 1", key, []byte("other"), now); !errors.Is(err, activity.ErrDifferentRequest) {
			t.Errorf("another request: %v", err)
		}
		if prior, claim, err := s.Begin(ctx, "user 2", key, request, now); err != nil || prior != nil || claim == nil {
			t.Errorf("another's key: %v, %v", prior, err)
		}
		later := now.Add(activity.AnswerTTL - time.Second)
		check(t, s.Purge(ctx, later))
		if prior, _, err := s.Begin(ctx, "user 1", key, request, later); err != nil || prior == nil {
			t.Errorf("shortly before its end: %v, %v", prior, err)
		}
		later = now.Add(activity.AnswerTTL)
		if prior, claim, err := s.Begin(ctx, "user 1", key, []byte("other"), later); err != nil || prior != nil || claim == nil {
			t.Errorf("after its end: %v, %v", prior, err)
		}
		check(t, s.Close())
	})
}

func TestAnswersThatAreNotKept(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, s, now := t.Context(), open(t), time.Now()
		begin := func(at time.Time) *activity.Claim {
			t.Helper()
			prior, claim, err := s.Begin(ctx, "user 1", key, nil, at)
			if err != nil || prior != nil {
				t.Fatalf("%v, %v", prior, err)
			}
			return claim
		}
		check(t, begin(now).Abandon(ctx))
		large := activity.Answer{Status: 200, Body: make([]byte, activity.MaxAnswerBody+1)}
		if err := begin(now).Finish(ctx, large, now); !errors.Is(err, activity.ErrAnswerTooLarge) {
			t.Errorf("%v", err)
		}
		dead := begin(now) // its process ends
		alive := begin(now.Add(time.Hour))
		check(t, alive.Finish(ctx, activity.Answer{Status: 200}, now.Add(time.Hour)))
		check(t, dead.Finish(ctx, activity.Answer{Status: 500}, now.Add(time.Hour)))
		if prior, _, err := s.Begin(ctx, "user 1", key, nil, now.Add(time.Hour)); err != nil || prior == nil || prior.Status != 200 {
			t.Errorf("%+v, %v", prior, err)
		}
		check(t, s.Close())
	})
}

// The answers of one principal are bounded; those of another stay.
func TestAnswersAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		ctx, s, now := t.Context(), open(t), time.Now()
		at := func(n int) time.Time { return now.Add(time.Duration(n) * time.Second) }
		finish := func(principal string, n int) {
			t.Helper()
			_, claim, err := s.Begin(ctx, principal, fmt.Sprint(key, n), nil, at(n))
			check(t, err)
			check(t, claim.Finish(ctx, activity.Answer{Status: 200}, at(n)))
		}
		finish("user 2", 0)
		const more = 3
		for n := range activity.MaxAnswers + more {
			finish("user 1", n)
		}
		kept := func(principal string, n int) bool {
			t.Helper()
			prior, claim, err := s.Begin(ctx, principal, fmt.Sprint(key, n), nil, at(activity.MaxAnswers))
			check(t, err)
			if claim != nil {
				check(t, claim.Abandon(ctx))
			}
			return prior != nil
		}
		for n, want := range map[int]bool{0: false, more - 1: false, more: true, activity.MaxAnswers + more - 1: true} {
			if kept("user 1", n) != want {
				t.Errorf("answer %d is kept: %t", n, !want)
			}
		}
		if !kept("user 2", 0) {
			t.Error("another's answer is gone")
		}
		check(t, s.Close())
	})
}

// Of those that begin at once, one does the work.
func TestBeginAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open opener) {
		s, now := open(t), time.Now()
		var work sync.WaitGroup
		claims := make(chan *activity.Claim, 16)
		for range cap(claims) {
			work.Go(func() {
				_, claim, err := s.Begin(context.Background(), "user 1", key, nil, now)
				if claim != nil {
					claims <- claim
				} else if !errors.Is(err, activity.ErrInFlight) {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if len(claims) != 1 {
			t.Errorf("%d do the work", len(claims))
		}
		check(t, s.Close())
	})
}

// Who reads the file finds neither keys, nor who asked for what, nor answers.
func TestAnswersAreSealed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, operations.Config{File: filepath.Join(dir, operations.FileName)})
	_, claim, err := s.Begin(t.Context(), "user planted-principal", "planted-idempotency-key", []byte("planted-request"), time.Now())
	check(t, err)
	check(t, claim.Finish(t.Context(), activity.Answer{Status: 200, Body: []byte("planted-answer")}, time.Now()))
	check(t, s.Close())
	files, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		check(t, err)
		if strings.Contains(string(data), "planted") {
			t.Errorf("%s has what is secret", f.Name())
		}
	}
}
