package leases

import (
	"context"
	"database/sql"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/access"
	"hubledger/services/internal/operations"
)

// Take gives a repository leases on blobs until a time, or lengthens those it
// has. All or none: a *LeavingError names those that are being removed.
func (s *Store) Take(ctx context.Context, repo string, until time.Time, ds ...digest.Digest) error {
	ps, err := packAll(ds)
	if err != nil {
		return err
	}
	return s.change(ctx, givesHolds, func(t *tx) error { return t.take(repo, ps, operations.Micros(until)) })
}

func (t *tx) take(repo string, ds []packed, until int64) error {
	marked, err := t.fences.leaving(ds)
	if err != nil {
		return err
	}
	if len(marked) > 0 {
		return &LeavingError{unpackAll(marked)}
	}
	return eachChunk(ds, func(chunk []packed) error {
		_, err := t.Exec(`INSERT INTO leases (repository, digest, until) VALUES `+rows(len(chunk))+
			` ON CONFLICT (digest, repository) DO UPDATE SET until = excluded.until WHERE excluded.until > leases.until`,
			args(chunk, repo, until)...)
		if err != nil {
			return err
		}
		if t.mem != nil {
			for _, d := range chunk {
				t.mem.extend(repo, d, until)
			}
		}
		return nil
	})
}

// TakeIf gives repository "to" a lease if "from" has one that has at least left to
// go: a mount of a blob that no manifest holds yet. The lease is as long as that
// of from, so that mounts to and fro end. ErrNoLease when from has none.
func (s *Store) TakeIf(ctx context.Context, from, to string, d digest.Digest, left time.Duration) error {
	ps, err := packAll([]digest.Digest{d})
	if err != nil {
		return err
	}
	return s.change(ctx, givesHolds, func(t *tx) error {
		held, ok, err := t.fences.lease(from, ps[0])
		if err != nil {
			return err
		}
		if now := time.Now(); !ok || held <= operations.Micros(now) || held < operations.Micros(now.Add(left)) {
			return ErrNoLease
		}
		return t.take(to, ps, held)
	})
}

// Has says whether a repository has a live lease on a blob, and until when.
func (s *Store) Has(ctx context.Context, repo string, d digest.Digest) (until time.Time, ok bool, err error) {
	raw, err := pack(d)
	if err != nil {
		return time.Time{}, false, err
	}
	held, err := s.leaseUntil(ctx, repo, packed(raw))
	if err != nil || held <= operations.Micros(time.Now()) {
		return time.Time{}, false, err
	}
	return operations.Time(held), true, nil
}

func (s *Store) leaseUntil(ctx context.Context, repo string, d packed) (until int64, err error) {
	if s.mem != nil {
		until, _, err = s.mem.lease(repo, d)
		return until, err
	}
	err = s.ops.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&until) },
		`SELECT until FROM leases WHERE repository = $1 AND digest = $2`, repo, []byte(d))
	return until, err
}

// Holder names a repository with a live lease on a blob, the first in byte
// order; "" when there is none.
func (s *Store) Holder(ctx context.Context, d digest.Digest) (repo string, err error) {
	raw, err := pack(d)
	if err != nil {
		return "", err
	}
	now := operations.Micros(time.Now())
	if s.mem != nil {
		return s.mem.holder(packed(raw), now), nil
	}
	err = s.ops.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&repo) },
		`SELECT repository FROM leases WHERE digest = $1 AND until > $2 AND substr(repository, 1, 1) <> $3 ORDER BY repository LIMIT 1`, raw, now, reading)
	return repo, err
}

// OfNamespace lists the blobs on which repositories of a namespace, by its name,
// have live leases, each once with the last end. It reads all leases.
func (s *Store) OfNamespace(ctx context.Context, namespace string) (list []Lease, err error) {
	prefix := namespace + "/"
	where := `substr(repository, 1, $2) = $3`
	if namespace == access.Library { // the full name of a top-level image has no namespace in it
		where = `(` + where + ` OR repository NOT LIKE '%/%' AND substr(repository, 1, 1) <> '` + reading + `')`
	}
	err = s.ops.Query(ctx, func(rows *sql.Rows) error {
		var raw []byte
		var until int64
		err := rows.Scan(&raw, &until)
		list = append(list, Lease{unpack(raw), operations.Time(until)})
		return err
	}, `SELECT digest, MAX(until) FROM leases WHERE until > $1 AND `+where+` GROUP BY digest`,
		operations.Micros(time.Now()), len(prefix), prefix)
	return list, err
}

// Drop ends a repository's lease on a blob and says whether there was a live one.
func (s *Store) Drop(ctx context.Context, repo string, d digest.Digest) (held bool, err error) {
	raw, err := pack(d)
	if err != nil {
		return false, err
	}
	// The row stays until Expire: it says when the blob was last held.
	err = s.change(ctx, noLock, func(t *tx) error {
		now := operations.Micros(time.Now())
		n, err := t.Exec(`UPDATE leases SET until = $3 WHERE repository = $1 AND digest = $2 AND until > $3`, repo, raw, now)
		held = n > 0
		if err == nil && t.mem != nil {
			t.mem.end(repo, packed(raw), now)
		}
		return err
	})
	return held, err
}

// DropRepository ends every lease of a repository, also those for reading.
func (s *Store) DropRepository(ctx context.Context, repo string) error {
	return s.change(ctx, noLock, func(t *tx) error {
		now := operations.Micros(time.Now())
		for _, name := range []string{repo, reading + repo} {
			if _, err := t.Exec(`UPDATE leases SET until = $2 WHERE repository = $1 AND until > $2`, name, now); err != nil {
				return err
			}
			if t.mem != nil {
				t.mem.endAll(name, now)
			}
		}
		return nil
	})
}

// LastLease says when the last lease or pin on a blob ended; in the future
// while it holds. A lease for reading counts only while it holds: it is no use of
// the blob. ok is false when none is known any more: whatever there was ended
// before the last Expire's time.
func (s *Store) LastLease(ctx context.Context, d digest.Digest) (ended time.Time, ok bool, err error) {
	raw, err := pack(d)
	if err != nil {
		return time.Time{}, false, err
	}
	var until int64
	now := operations.Micros(time.Now())
	if s.mem != nil {
		until = s.mem.lastHeld(packed(raw), now)
	} else {
		err = s.ops.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&until) },
			`SELECT COALESCE(MAX(until), 0) FROM (SELECT until FROM leases WHERE digest = $1 AND (until > $2 OR substr(repository, 1, 1) <> $3)
			 UNION ALL SELECT until FROM pins WHERE digest = $1) AS held`, raw, now, reading)
	}
	if err != nil || until == 0 {
		return time.Time{}, false, err
	}
	return operations.Time(until), true, nil
}

func (m *mirror) lastHeld(d packed, now int64) int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if f := m.byDigest[d]; f != nil {
		return f.lastHeld(now)
	}
	return 0
}

// Expire forgets leases and pins that ended before a time, which is at least
// one lease term ago, and says how many.
func (s *Store) Expire(ctx context.Context, before time.Time) (n int64, err error) {
	at := operations.Micros(before)
	err = s.change(ctx, noLock, func(t *tx) error {
		leases, err := t.Exec(`DELETE FROM leases WHERE until < $1`, at)
		if err != nil {
			return err
		}
		pins, err := t.Exec(`DELETE FROM pins WHERE until < $1`, at)
		if err != nil {
			return err
		}
		n = leases + pins
		if t.mem != nil {
			t.mem.expire(at)
		}
		return nil
	})
	return n, err
}
