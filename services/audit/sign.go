package audit

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
	"hubledger/services/internal/signingkey"
)

// Signing is what the service needs to sign the log; all fields but those that may be nil
// are required.
type Signing struct {
	// Dir has the tree of this generation of the log, Before that of the one that it was
	// restored from; nil: it was not.
	Dir    tree.Dir
	Before *tree.Before
	// Hub and Generation name the log in its first checkpoint.
	Hub, Generation string
	Secrets         signingkey.Secrets // nil while the log is read-only
	Journal         projections.DB     // it must not keep statements
	// End waits until the journal has what the log has now, and returns the last sequence.
	End func(ctx context.Context) (uint64, error)
	// ReadOnly is why the log is not trusted; nil when it is.
	ReadOnly func() error
	// Distrust makes the log read-only for a reason.
	Distrust func(reason error)
	Logger   *slog.Logger
}

// every is the time between two checkpoints, and compareEvery that between two times that
// all leaves are compared with the last one: a second or two for a million events.
const every, compareEvery = time.Minute, 6 * time.Hour

// keyName is where the seed of the key is among the secrets.
const keyName = "checkpoint.key"

func (s *Signing) grower() *tree.Grower {
	keeper := &signingkey.Keeper{Secrets: s.Secrets, Name: keyName}
	return &tree.Grower{Dir: s.Dir, Before: s.Before, Origin: checkpoint.Origin(s.Hub, s.Generation), Key: keeper.Key,
		Leaves: func(ctx context.Context, after, to uint64, yield func(events.Leaf) error) error {
			return journal.Leaves(ctx, s.Journal, after, to, yield)
		}}
}

// run signs the log at intervals until ctx ends. A log of which something was signed
// before is compared with that at once.
func (a *Audit) run(ctx context.Context) {
	asking := make(chan struct{})
	go func() {
		defer close(asking)
		a.askWitnesses(ctx)
	}()
	defer func() { <-asking }()
	if _, _, err := a.Signing.Dir.Signed(); !errors.Is(err, fs.ErrNotExist) {
		a.sign(ctx)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.sign(ctx)
		}
	}
}

// Sign signs the log as it is now, unless it was signed before and has not grown since. A
// log that is not the one that was signed becomes read-only: the error is a
// *tree.ContradictionError then. While it is read-only nothing is done.
func (a *Audit) Sign(ctx context.Context) error {
	if a.Signing.ReadOnly() != nil {
		return nil
	}
	end, err := a.Signing.End(ctx)
	if err == nil {
		err = a.grower.Grow(ctx, end)
	}
	if err == nil {
		a.witnesses.wake()
	}
	return a.judged(err)
}

// judged makes a log that contradicts what was signed read-only.
func (a *Audit) judged(err error) error {
	var contradicts *tree.ContradictionError
	if errors.As(err, &contradicts) {
		a.Signing.Distrust(contradicts)
	}
	return err
}

// Compare computes from all leaves in the journal what was signed last. What differs makes
// the log read-only, as Sign does, which looks at the end of the tree only.
func (a *Audit) Compare(ctx context.Context) error { return a.judged(a.grower.Compare(ctx)) }

// sign is Sign for the log of the program.
func (a *Audit) sign(ctx context.Context) {
	if err := a.Sign(ctx); err != nil && ctx.Err() == nil && a.Signing.ReadOnly() == nil {
		a.Signing.Logger.Error("the log could not be signed; it is tried again in a minute", "error", err)
	}
}
