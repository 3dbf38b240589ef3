package leases

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"

	"hubledger/services/internal/operations"
)

// mirror holds every fence of an SQLite store in memory. The writer changes it
// as it writes, before the commit; should that fail, it loads it anew. Pins
// may come and go without the writer.
type mirror struct {
	mu       sync.RWMutex
	byDigest map[packed]*fenced
	pins     map[Pin]pinned
}

// fenced is all that is known of one digest: a few bytes, for there are many.
type fenced struct {
	leases  []lease // by repository
	pins    []pin
	since   int64         // of the leaving mark; 0: none
	cleared chan struct{} // made by who waits, closed when the mark goes
}

type lease struct {
	repo  string
	until int64
}

type pin struct {
	id    Pin
	until int64
}

type pinned struct {
	ds     []packed
	stored bool // has rows
}

func newMirror() *mirror {
	return &mirror{byDigest: map[packed]*fenced{}, pins: map[Pin]pinned{}}
}

// Load replaces leases and marks by what is stored, and adds stored pins.
func (m *mirror) Load(ctx context.Context, q operations.Querier) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d, f := range m.byDigest {
		f.leases, f.since = nil, 0
		m.tidy(d, f)
	}
	err := operations.EachRow(ctx, q, func(rows *sql.Rows) error {
		var l lease
		var raw []byte
		err := rows.Scan(&l.repo, &raw, &l.until)
		f := m.at(packed(raw))
		f.leases = append(f.leases, l)
		return err
	}, `SELECT repository, digest, until FROM leases`)
	if err != nil {
		return err
	}
	for _, f := range m.byDigest {
		slices.SortFunc(f.leases, func(a, b lease) int { return cmp.Compare(a.repo, b.repo) })
	}
	err = operations.EachRow(ctx, q, func(rows *sql.Rows) error {
		var raw []byte
		var since int64
		err := rows.Scan(&raw, &since)
		m.at(packed(raw)).since = since
		return err
	}, `SELECT digest, since FROM leaving`)
	if err != nil {
		return err
	}
	known := len(m.pins) > 0
	return operations.EachRow(ctx, q, func(rows *sql.Rows) error {
		var p pin
		var raw []byte
		err := rows.Scan(&p.id, &raw, &p.until)
		if !known {
			f := m.at(packed(raw))
			f.pins = append(f.pins, p)
			m.pins[p.id] = pinned{ds: append(m.pins[p.id].ds, packed(raw)), stored: true}
		}
		return err
	}, `SELECT id, digest, until FROM pins`)
}

// at returns what is known of d, to be changed. The caller holds mu.
func (m *mirror) at(d packed) *fenced {
	f := m.byDigest[d]
	if f == nil {
		f = &fenced{}
		m.byDigest[d] = f
	}
	return f
}

// tidy forgets a digest of which nothing is known. The caller holds mu.
func (m *mirror) tidy(d packed, f *fenced) {
	if f.since == 0 && f.cleared != nil {
		close(f.cleared)
		f.cleared = nil
	}
	if len(f.leases) == 0 && len(f.pins) == 0 && f.since == 0 {
		delete(m.byDigest, d)
	}
}

func (f *fenced) find(repo string) (i int, ok bool) {
	return slices.BinarySearchFunc(f.leases, repo, func(l lease, repo string) int { return cmp.Compare(l.repo, repo) })
}

// lastHeld is when the last lease or pin ends, or has ended; 0 when there is none. Leases
// for reading that have ended do not count.
func (f *fenced) lastHeld(now int64) (until int64) {
	for _, l := range f.leases {
		if l.until > now || !isReading(l.repo) {
			until = max(until, l.until)
		}
	}
	for _, p := range f.pins {
		until = max(until, p.until)
	}
	return until
}
