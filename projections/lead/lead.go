// Package lead makes one of several nodes the leader in something, such as in
// running a process manager.
package lead

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"hubledger/projections/internal/pglock"
)

const (
	checkEvery   = time.Second // how often a leader asks the server whether its session lives
	checkTimeout = time.Second // how long it waits for the answer, and for that of any other statement

	// handover is how long a node that takes the lead from another one waits
	// first: longer than the other one needs to notice that it lost the lock.
	handover = checkEvery + checkTimeout + time.Second

	connectTimeout = 5 * time.Second

	// pauseAfterLoss lets another node take the lead from one whose session was
	// lost: those who wait try every pglock.RetryEvery.
	pauseAfterLoss = 2 * pglock.RetryEvery
)

// A Lock decides which of the nodes that share a PostgreSQL database leads.
type Lock struct {
	url string
	log *slog.Logger
}

// New makes a Lock in the database that the URL names. An empty URL says that
// there is no other node: this one always leads. log may be nil.
func New(url string, log *slog.Logger) *Lock {
	return &Lock{url, cmp.Or(log, slog.Default())}
}

// Run waits until this node leads in what name says, calls lead and returns
// what that returns; then another node may lead. It returns nil when ctx ends,
// unless lead returns an error of its own.
//
// The context of lead ends with ctx, and within seconds when the database ends
// the session that holds the lock. Then lead must return, whatever it returns:
// Run tries to get the lock again and calls it anew.
//
// A node that takes over from another one waits until the other one must have
// noticed its loss. That does not help against a process that is suspended while
// it leads, nor when a third node starts in these seconds. So what lead does must
// be harmless when two nodes do it: the lock saves work, it is no fence.
func (l *Lock) Run(ctx context.Context, name string, lead func(ctx context.Context) error) error {
	if l.url == "" {
		return ownError(ctx, lead(ctx))
	}
	config, err := pgx.ParseConfig(l.url)
	if err != nil {
		return fmt.Errorf("lead %s: %w", name, err)
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = "hubledger lead " + name
	for {
		err := l.term(ctx, config, name, lead)
		var lost lostError
		if ctx.Err() != nil || !errors.As(err, &lost) {
			return ownError(ctx, err)
		}
		l.log.Warn("no session to hold the lead, trying again", "name", name, "in", pauseAfterLoss, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pauseAfterLoss):
		}
	}
}

// ownError is the error of a lead function, nil if it only says that ctx ended.
func ownError(ctx context.Context, err error) error {
	var lost lostError
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.As(err, &lost)) {
		return nil
	}
	return err
}

// A lostError says that a session ended, or that there was none.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// term waits for the lock and calls lead once. It returns a lostError when lead
// was not called, or when the session ended before lead returned.
func (l *Lock) term(ctx context.Context, config *pgx.ConnConfig, name string, lead func(context.Context) error) error {
	conn, err := pglock.Connect(ctx, config)
	if err != nil {
		return lostError{err}
	}
	defer pglock.Close(conn)
	waited, err := wait(ctx, conn, "lead "+name)
	if err != nil {
		return lostError{err}
	}
	leading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if err := watch(watching, conn); watching.Err() == nil {
			cancel(lostError{err})
		}
	}()
	defer func() {
		stop()
		<-watched // a session is for one goroutine at a time
	}()
	if waited {
		select {
		case <-leading.Done():
		case <-time.After(handover):
			l.log.Info("this node leads now", "name", name)
		}
	}
	if leading.Err() == nil {
		err = lead(leading)
	}
	var lost lostError
	if errors.As(context.Cause(leading), &lost) {
		return lostError{errors.Join(lost.error, err)}
	}
	return err
}

// wait returns when the session has the lock; waited says that another one had
// it before.
func wait(ctx context.Context, conn *pgx.Conn, name string) (waited bool, err error) {
	for {
		try, cancel := context.WithTimeout(ctx, checkTimeout)
		locked, err := pglock.Try(try, conn, name)
		cancel()
		if locked || err != nil {
			return waited, err
		}
		waited = true
		if err := pglock.Idle(ctx, conn, pglock.RetryEvery); err != nil {
			return waited, err
		}
	}
}

// watch returns an error as soon as it notices that the session or ctx has ended.
func watch(ctx context.Context, conn *pgx.Conn) error {
	for {
		if err := pglock.Idle(ctx, conn, checkEvery); err != nil {
			return err
		}
		check, cancel := context.WithTimeout(ctx, checkTimeout)
		err := conn.Ping(check)
		cancel()
		if err != nil {
			return err
		}
	}
}
