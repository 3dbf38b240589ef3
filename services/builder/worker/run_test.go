package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/fetch"
)

// failing is a Fetcher whose commits cannot be had.
type failing struct{ Fetcher }

func (failing) Fetch(context.Context, string, string, fetch.Source, fetch.Limits) (fetch.Commit, error) {
	return fetch.Commit{}, errors.New("no such commit")
}

// hears is a Hub that keeps logs and hears all.
type hears struct{ logs }

func (*hears) Say(context.Context, Claim, events.Payload) error { return nil }

func (l *hears) text() string { return strings.Join(l.chunks, "") }

// A line of the builder's own begins a line, also behind output without a line end.
func TestLinesBeginLines(t *testing.T) {
	hub := &hears{}
	r := &run{Worker: &Worker{Hub: hub}, a: &Assignment{}, log: newLogWriter(hub, Claim{}, slog.New(slog.DiscardHandler)), steps: map[int]*step{}}
	for _, e := range []driver.Event{{Kind: driver.Began, Step: 1, Name: "one"}, {Kind: driver.Log, Step: 1, Data: []byte("no end")}, {Kind: driver.Log, Step: 1},
		{Kind: driver.Began, Step: 2, Name: "two"}, {Kind: driver.Log, Step: 2, Data: []byte("end\n")}, {Kind: driver.Warned, Text: "w"}, {Kind: driver.Log, Step: 2, Data: []byte("x")}} {
		r.heard(t.Context(), e)
	}
	r.line(0, "error: broken")
	r.log.close()
	if want := "==> one\nno end\n==> two\nend\nwarning: w\nx\nerror: broken\n"; hub.text() != want {
		t.Errorf("the log is %q, want %q", hub.text(), want)
	}
}

// A log that begins again says so.
func TestSecondAttemptSaysSo(t *testing.T) {
	for epoch, want := range map[int]string{1: "fetching ", 2: "\n==> attempt 2: an earlier builder did not finish the build, which begins again\nfetching "} {
		hub := &hears{}
		w := &Worker{Hub: hub, Fetcher: failing{}, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
		w.Build(t.Context(), &Assignment{Claim: Claim{Build: "b", Epoch: epoch}})
		if !strings.HasPrefix(hub.text(), want) {
			t.Errorf("attempt %d begins with %q", epoch, hub.text())
		}
	}
}
