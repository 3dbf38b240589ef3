package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hubledger/projections"
	"hubledger/projections/internal/pglock"
	"hubledger/projections/internal/sqltext"
)

// Lead tries to get the store's advisory lock, which belongs to the session,
// and listens to the writer until it has the lock.
func (s *store) Lead(ctx context.Context, moved func(uint64, int)) (_ projections.Writer, err error) {
	if s.readOnly {
		return nil, errors.New("the store was opened read-only")
	}
	config := s.config.Copy()
	// A commit that a crash of the server loses is made again from the log.
	config.RuntimeParams["synchronous_commit"] = "off"
	conn, err := pglock.Connect(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			pglock.Close(conn)
		}
	}()
	for following := false; ; {
		locked, err := pglock.Try(ctx, conn, s.schema)
		if err != nil {
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
func (s *store) listen(ctx context.Context, conn *pgx.Conn, moved func(uint64, int)) error {
	if _, err := conn.Exec(ctx, "LISTEN "+sqltext.Quote(s.schema)); err != nil {
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

// follow reports what the writer commits until it is time to try the lock again.
func follow(ctx context.Context, conn *pgx.Conn, moved func(uint64, int)) error {
	return pglock.Listen(ctx, conn, pglock.RetryEvery, func(payload string) error {
		var position uint64
		var parked int
		if _, err := fmt.Sscanf(payload, "%d %d", &position, &parked); err != nil {
			return fmt.Errorf("notification %q: %w", payload, err)
		}
		moved(position, parked)
		return nil
	})
}

// promote raises the epoch: whoever wrote before can commit no more.
func (s *store) promote(ctx context.Context, conn *pgx.Conn, followed bool) (projections.Writer, error) {
	if followed {
		if _, err := conn.Exec(ctx, "UNLISTEN *"); err != nil {
			return nil, err
		}
		s.log.Info("this process writes the projection now", "schema", s.schema)
	}
	w := &writer{store: s, conn: conn, sql: make([][projections.Actions]string, len(s.m.Tables))}
	var position int64
	err := conn.QueryRow(ctx, "UPDATE _store SET epoch = epoch + 1 RETURNING epoch, position, (SELECT count(*) FROM _parked)").
		Scan(&w.epoch, &position, &w.count)
	w.from = uint64(position)
	return w, err
}
