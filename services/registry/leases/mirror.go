package leases

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"
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

// load replaces leases and marks by what is stored, and adds stored pins.
func (m *mirror) load(ctx context.Context, q querier) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d, f := range m.byDigest {
		f.leases, f.since = nil, 0
		m.tidy(d, f)
	}
	err := queryAll(ctx, q, func(rows *sql.Rows) error {
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
	err = queryAll(ctx, q, func(rows *sql.Rows) error {
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
	return queryAll(ctx, q, func(rows *sql.Rows) error {
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

// heldUntil is when the last lease or pin ends; 0 when there is none.
func (f *fenced) heldUntil() (until int64) {
	for _, l := range f.leases {
		until = max(until, l.until)
	}
	for _, p := range f.pins {
		until = max(until, p.until)
	}
	return until
}

func (m *mirror) leaving(ds []packed) (marked []packed, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.marked(ds), nil
}

func (m *mirror) marked(ds []packed) (marked []packed) {
	for _, d := range ds {
		if f := m.byDigest[d]; f != nil && f.since != 0 {
			marked = append(marked, d)
		}
	}
	return marked
}

func (m *mirror) claim(d packed, now int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.at(d)
	if f.heldUntil() > now {
		return false, nil
	}
	if f.since == 0 {
		f.since = now
	}
	return true, nil
}

func (m *mirror) lease(repo string, d packed) (until int64, ok bool, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if f := m.byDigest[d]; f != nil {
		if i, ok := f.find(repo); ok {
			return f.leases[i].until, true, nil
		}
	}
	return 0, false, nil
}

// extend gives or lengthens a lease.
func (m *mirror) extend(repo string, d packed, until int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.at(d)
	i, ok := f.find(repo)
	if !ok {
		f.leases = slices.Insert(f.leases, i, lease{repo, until})
		return
	}
	f.leases[i].until = max(f.leases[i].until, until)
}

// end ends a lease now, if it has not ended before.
func (m *mirror) end(repo string, d packed, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.byDigest[d]; f != nil {
		if i, ok := f.find(repo); ok {
			f.leases[i].until = min(f.leases[i].until, now)
		}
	}
}

// endAll ends every lease of a repository.
func (m *mirror) endAll(repo string, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.byDigest {
		if i, ok := f.find(repo); ok {
			f.leases[i].until = min(f.leases[i].until, now)
		}
	}
}

func (m *mirror) clear(d packed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.byDigest[d]; f != nil {
		f.since = 0
		m.tidy(d, f)
	}
}

// expire forgets leases and pins that ended before.
func (m *mirror) expire(before int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d, f := range m.byDigest {
		f.leases = slices.DeleteFunc(f.leases, func(l lease) bool { return l.until < before })
		f.pins = slices.DeleteFunc(f.pins, func(p pin) bool {
			if p.until < before {
				delete(m.pins, p.id) // the pin's other digests end with it
			}
			return p.until < before
		})
		m.tidy(d, f)
	}
}
