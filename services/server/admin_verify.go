package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/verify"
)

// adminVerifyLog compares the log with all that is known of it; see verify.Run.
func (n *Node) adminVerifyLog(ctx context.Context, r *http.Request, a *adminResponse) error {
	if !n.models.Named(journal.Projection.Name).IsOpen() {
		return errors.New("there is no journal to compare the log with: stop the hub and run `hubledger verify` on its data directory")
	}
	last, err := n.audit.Signing.End(ctx)
	if err != nil {
		return fmt.Errorf("the log cannot be compared while the hub runs, stop it and run `hubledger verify` again: %w", err)
	}
	c := verify.Config{Last: last, Journal: n.audit.Signing.Journal, Dir: n.audit.Signing.Dir,
		Log: func(ctx context.Context, yield func(*events.Event) error) error {
			return n.log.Scan(ctx, 1, last, yield)
		},
		Progress: func(done, total uint64) { a.progress(int64(done), int64(total), "events") }}
	if text := r.URL.Query().Get("keys"); text != "" {
		if c.Keys, err = checkpoint.ParseKeys(text); err != nil {
			return err
		}
	}
	if text := r.URL.Query().Get("witnesses"); text != "" {
		if c.Witnesses, err = checkpoint.ParseWitnessKeys(text); err != nil {
			return err
		}
	}
	if text := r.URL.Query().Get("since"); text != "" {
		// Whoever asks has verified it, by a key that may be another one.
		since, err := checkpoint.Parse(text)
		if err != nil {
			return err
		}
		c.Since = &since
	}
	report, err := verify.Run(ctx, c)
	if err != nil {
		return err
	}
	return a.item(report)
}
