package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// takeoverEvery is how often a follower tries to become the writer.
const takeoverEvery = time.Second

// lead tries to get the store's advisory lock, which belongs to the session,
// and listens to the writer until it has it.
func (s *postgresStore) lead(ctx context.Context, moved func(uint64, int)) (_ writer, err error) {
	if s.readOnly {
		return nil, errors.New("the store was opened read-only")
	}
	config := s.config.Copy()
	// A commit that a crash of the server loses is made again from the log.
	config.RuntimeParams["synchronous_commit"] = "off"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			closeNow(conn)
		}
	}()
	for following := false; ; {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockKey(s.schema)).Scan(&locked); err != nil {
			return nil, err
		}
		if locked {
			return s.promote(ctx, conn, following)
		}
		if !following {
			if err := s.listen(ctx, conn, moved); err != nil {
				return nil, err
			}
			following = true
		}
		if err := follow(ctx, conn, moved); err != nil {
			return nil, err
		}
	}
}

// listen subscribes first and then reads the position, so that no move is lost.
func (s *postgresStore) listen(ctx context.Context, conn *pgx.Conn, moved func(uint64, int)) error {
	if _, err := conn.Exec(ctx, "LISTEN "+quote(s.schema)); err != nil {
		return err
	}
	var position int64
	var parked int
	err := conn.QueryRow(ctx, "SELECT position, (SELECT count(*) FROM _parked) FROM _store").Scan(&position, &parked)
	if err == nil {
		s.log.Info("another process writes this projection, following it", "schema", s.schema, "position", position)
		moved(uint64(position), parked)
	}
	return err
}

// follow reports notifications for takeoverEvery.
func follow(ctx context.Context, conn *pgx.Conn, moved func(uint64, int)) error {
	until, cancel := context.WithTimeout(ctx, takeoverEvery)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(until)
		if err != nil {
			if pgconn.Timeout(err) && ctx.Err() == nil && !conn.IsClosed() {
				return nil
			}
			return err
		}
		var position uint64
		var parked int
		if _, err := fmt.Sscanf(n.Payload, "%d %d", &position, &parked); err != nil {
			return fmt.Errorf("notification %q: %w", n.Payload, err)
		}
		moved(position, parked)
	}
}

// promote raises the epoch: whoever wrote before can commit no more.
func (s *postgresStore) promote(ctx context.Context, conn *pgx.Conn, followed bool) (writer, error) {
	if followed {
		if _, err := conn.Exec(ctx, "UNLISTEN *"); err != nil {
			return nil, err
		}
		s.log.Info("this process writes the projection now", "schema", s.schema)
	}
	w := &postgresWriter{store: s, conn: conn, sql: make([][actions]string, len(s.m.tables))}
	var position int64
	err := conn.QueryRow(ctx, "UPDATE _store SET epoch = epoch + 1 RETURNING epoch, position, (SELECT count(*) FROM _parked)").
		Scan(&w.epoch, &position, &w.count)
	w.from = uint64(position)
	return w, err
}

// closeNow ends a session even when the context has ended, but not at any
// price. Its locks are given back first: the server may end the session later.
func closeNow(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !conn.IsClosed() {
		conn.Exec(ctx, "SELECT pg_advisory_unlock_all()")
	}
	conn.Close(ctx)
}
