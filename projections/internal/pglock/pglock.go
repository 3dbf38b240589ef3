// Package pglock holds names for one session of PostgreSQL at a time, by
// advisory locks. A lock ends with its session.
package pglock

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// RetryEvery is how often a process that does not have a lock should try to
// get it.
const RetryEvery = time.Second

// Key is the number of a name's advisory lock.
func Key(name string) int64 {
	sum := sha256.Sum256([]byte("hubledger " + name))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// Connect opens a session to hold a lock in. The server notices within seconds
// that the machine of this process is gone, and then gives the lock to others.
func Connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	config = config.Copy()
	for name, value := range map[string]string{"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"} {
		config.RuntimeParams[name] = value
	}
	return pgx.ConnectConfig(ctx, config)
}

// Try takes the lock of a name for the session, unless another one has it.
func Try(ctx context.Context, conn *pgx.Conn, name string) (locked bool, err error) {
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", Key(name)).Scan(&locked)
	return locked, err
}

// Idle waits with a session that listens to nothing. It returns nil after that
// time, and an error at once when the session or ctx ends.
func Idle(ctx context.Context, conn *pgx.Conn, d time.Duration) error {
	return Listen(ctx, conn, d, func(string) error { return nil })
}

// Listen waits like Idle, with a session that listens, and calls fn with the
// payload of each notification. An error of fn ends it.
func Listen(ctx context.Context, conn *pgx.Conn, d time.Duration, fn func(payload string) error) error {
	until, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(until)
		if pgconn.Timeout(err) && ctx.Err() == nil && !conn.IsClosed() {
			return nil
		}
		if err == nil {
			err = fn(n.Payload)
		}
		if err != nil {
			return err
		}
	}
}

// Close ends a session and gives its locks back, also when the caller's
// context has ended; it takes a second at most. The locks are given back
// first, because the server may end the session later.
func Close(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !conn.IsClosed() {
		conn.Exec(ctx, "SELECT pg_advisory_unlock_all()")
	}
	conn.Close(ctx)
}
