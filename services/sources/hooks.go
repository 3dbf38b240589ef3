package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/githook"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/service"
	src "hubledger/services/internal/source"
)

// HookBodies keep the bodies of webhooks for a while. The error of Get wraps
// fs.ErrNotExist when a body is not kept any more.
type HookBodies interface {
	Put(ctx context.Context, source string, body []byte) (digest.Digest, error)
	Get(ctx context.Context, source string, sum digest.Digest) ([]byte, error)
	Purge(ctx context.Context, source string) error
}

// What becomes of a webhook, in metrics and answers.
const (
	verdictReceived    = "received"
	verdictPing        = "ping"
	verdictRedelivered = "redelivered"
	verdictRefused     = "refused"   // no source, or no right signature
	verdictUnreadable  = "malformed" // too large, cut off, or not of its kind of host
	verdictFailed      = "failed"    // the hub could not take it
)

var verdicts = []string{verdictReceived, verdictPing, verdictRedelivered, verdictRefused, verdictUnreadable, verdictFailed}

// hookRoute takes webhooks. What it asks of a sender is a signature, and nothing that
// an endpoint of the API knows.
func (s *Sources) hookRoute() service.Route {
	return service.Route{Method: http.MethodPost, Pattern: "/hooks/{source}", Permission: access.Open, Cost: budget.Write, Serve: s.serveHook}
}

// errRefused is the answer to a webhook for a source that does not exist and to one
// whose signature is not right: who sends them does not learn which.
var errRefused = endpoint.Fail(http.StatusUnauthorized, "there is no git source of that id, or the webhook is not signed with its secret: "+
	"compare URL, secret and kind of host with what `hubledger sources show` says").With("WWW-Authenticate", `Webhook-Signature realm="hubledger"`)

func (s *Sources) serveHook(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	answer, err := s.takeHook(w, r)
	if err != nil {
		p := s.API.Problem(r.Context(), r.Pattern, err)
		s.counts.hooks.WithLabelValues(verdictOf(p.Status)).Inc()
		p.Write(w, r)
		return
	}
	s.counts.hooks.WithLabelValues(answer.Verdict).Inc()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

func verdictOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return verdictRefused
	case status >= 500 || status == http.StatusTooManyRequests:
		return verdictFailed
	}
	return verdictUnreadable
}

// takeHook is all that happens to a webhook. When it returns an answer, the event is on
// disk, and its body can be read and is written to disk after that.
func (s *Sources) takeHook(w http.ResponseWriter, r *http.Request) (*apitypes.HookAnswer, error) {
	ctx := r.Context()
	if s.Secrets == nil || s.Bodies == nil {
		return nil, errNoSecrets // before anything that depends on the source
	}
	body, err := readHook(w, r)
	if err != nil {
		return nil, err
	}
	tab := budget.Of(ctx)
	if err := tab.Work(ctx); err != nil {
		return nil, err
	}
	of, err := s.authentic(ctx, r, body)
	if err != nil {
		return nil, err
	}
	// From here on the source pays: many hosts send from few addresses.
	if err := tab.Account(access.Principal{Kind: kindSource, ID: of.ID, Name: of.Name}); err != nil {
		return nil, err
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == formType {
		if err := tab.Hold(2 * int64(len(body))); err != nil { // what is decoded of it
			return nil, err
		}
	}
	hook, err := githook.Parse(of.Settings.Host, r.Header, body)
	if err != nil {
		return nil, err
	}
	return s.recordHook(ctx, of, hook, body)
}

// saidOfPull is what a webhook says of a pull request of the source, nil for nothing.
func saidOfPull(of *builds.Source, hook *githook.Hook) *events.HookPullRequest {
	u, err := gitremote.ParseURL(of.Settings.URL)
	if p := hook.PullRequest; err == nil && p != nil && p.GoesTo(u.Path) {
		return &p.HookPullRequest
	}
	return nil
}

const formType = "application/x-www-form-urlencoded"

// kindSource is what a source is counted as in budgets, where it has one like an
// account.
const kindSource access.Kind = "source"

// recordHook writes a webhook to the log.
func (s *Sources) recordHook(ctx context.Context, of *builds.Source, hook *githook.Hook, body []byte) (*apitypes.HookAnswer, error) {
	by := command.By{Source: source, Actor: "system"}
	answer := &apitypes.HookAnswer{Verdict: verdictReceived, Delivery: hook.Delivery, Event: hook.Event, Text: "received"}
	before, err := s.Read.Seen(ctx, of.ID, hook.Delivery)
	if err == nil {
		answer.Verdict, answer.Text = verdictRedelivered, fmt.Sprintf("this delivery was received before, as event %d of the log", before.Seq)
		by.Cause, by.Correlation = before.Event, before.Event
		answer.Seq, err = command.Append(ctx, s.Log, by, events.HookRedelivered{Namespace: of.Namespace, Source: of.ID, Delivery: hook.Delivery}, events.AnySeq)
		if err == nil {
			err = s.keepMissing(ctx, of.ID, before.Digest, body)
		}
		if err == nil && hook.Derived {
			// Without an id of the host it may be another delivery that says the same.
			err = s.sweeps.ask(ctx, of.ID, before.Event)
		}
		return answer, err
	}
	if !errors.Is(err, builds.ErrNotFound) {
		return nil, err
	}
	if hook.Ping {
		answer.Verdict, answer.Text = verdictPing, "heard"
	}
	// Both at once: where several servers have the bodies, each of both waits for disks. An
	// event whose body was not kept is true, too.
	var both errgroup.Group
	both.Go(func() error {
		_, err := s.Bodies.Put(ctx, of.ID, body)
		return err
	})
	both.Go(func() (err error) {
		answer.Seq, err = src.Receive(ctx, s.Log, by, events.HookReceived{Namespace: of.Namespace, Source: of.ID, Delivery: hook.Delivery, Event: hook.Event,
			Ping: hook.Ping, Refs: hook.Refs, More: hook.More, Repository: hook.Repository, PullRequest: saidOfPull(of, hook), Headers: hook.Headers, Digest: digest.FromBytes(body).String(), Size: int64(len(body))})
		return err
	})
	return answer, both.Wait()
}

// keepMissing keeps the body of a delivery that came again, if the first one's was not
// kept: its event is in the log, and its sender was told to try again.
func (s *Sources) keepMissing(ctx context.Context, source, sum string, body []byte) error {
	d := digest.FromBytes(body)
	if d.String() != sum {
		return nil
	}
	_, err := s.Bodies.Get(ctx, source, d)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = s.Bodies.Put(ctx, source, body)
	}
	return err
}
