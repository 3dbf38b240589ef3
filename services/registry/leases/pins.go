package leases

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// A Pin is one operation's hold on blobs. Two operations never share one.
type Pin string

// Pin holds blobs while a manifest that needs them is appended, for at most
// PinTerm. All or none: a *LeavingError names those that are being removed.
// The caller ends it by Unpin when the projection has committed the manifest,
// or when the append has certainly failed.
func (s *Store) Pin(ctx context.Context, ds ...digest.Digest) (Pin, error) {
	ps, err := packAll(ds)
	if err != nil {
		return "", err
	}
	id, now := Pin(uuid.NewString()), time.Now()
	until := operations.Micros(now.Add(PinTerm))
	if s.mem == nil {
		return id, s.change(ctx, givesHolds, func(t *tx) error {
			marked, err := t.fences.leaving(ps)
			if err != nil {
				return err
			}
			if len(marked) > 0 {
				return &LeavingError{unpackAll(marked)}
			}
			return t.writePin(id, ps, until)
		})
	}
	bare, err := s.mem.pin(id, ps, until)
	if err != nil || len(bare) == 0 {
		return id, err
	}
	err = s.change(ctx, givesHolds, func(t *tx) error { return t.writePin(id, bare, until) })
	if err != nil {
		s.mem.unpin(id)
		return "", err
	}
	return id, nil
}

// Unpin ends a pin. It does not wait: rows go soon, together with others'. A
// pin that is lost on the way ends by itself.
func (s *Store) Unpin(id Pin) {
	if s.mem != nil && !s.mem.unpin(id) {
		return // it has no rows
	}
	select {
	case s.unpins <- id:
	case <-s.quit:
	}
}

func (t *tx) writePin(id Pin, ds []packed, until int64) error {
	return eachChunk(ds, func(chunk []packed) error {
		_, err := t.Exec(`INSERT INTO pins (id, digest, until) VALUES `+rows(len(chunk)), args(chunk, string(id), until)...)
		return err
	})
}

// dropPins removes the rows of ended pins until the store is closed, and then
// those that are left.
func (s *Store) dropPins() {
	for {
		select {
		case id := <-s.unpins:
			s.deletePins(id)
		case <-s.quit:
			select {
			case id := <-s.unpins:
				s.deletePins(id)
			default:
				return
			}
		}
	}
}

// deletePins removes the rows of one pin and of those that wait behind it.
func (s *Store) deletePins(first Pin) {
	ids := []any{string(first)}
	for more := true; more && len(ids) < maxRows; {
		select {
		case id := <-s.unpins:
			ids = append(ids, string(id))
		default:
			more = false
		}
	}
	// An error only means that the pins end by their term.
	_ = s.change(context.Background(), noLock, func(t *tx) error {
		_, err := t.Exec(`DELETE FROM pins WHERE id IN `+list(1, len(ids)), ids...)
		return err
	})
}

// pin holds blobs in memory and returns those that need rows: a pin guards
// what its process does, so it can die with it, provided that the blob is
// still leased for longer than anything can be in flight.
func (m *mirror) pin(id Pin, ds []packed, until int64) (bare []packed, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if marked := m.marked(ds); len(marked) > 0 {
		return nil, &LeavingError{unpackAll(marked)}
	}
	for _, d := range ds {
		f := m.at(d)
		if f.leasedUntil() < until {
			bare = append(bare, d)
		}
		f.pins = append(f.pins, pin{id, until})
	}
	m.pins[id] = pinned{ds: ds, stored: len(bare) > 0}
	return bare, nil
}

func (f *fenced) leasedUntil() (until int64) {
	for _, l := range f.leases {
		until = max(until, l.until)
	}
	return until
}

// unpin says whether the pin has rows.
func (m *mirror) unpin(id Pin) (stored bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pins[id]
	delete(m.pins, id)
	for _, d := range p.ds {
		if f := m.byDigest[d]; f != nil {
			f.pins = slices.DeleteFunc(f.pins, func(p pin) bool { return p.id == id })
			m.tidy(d, f)
		}
	}
	return p.stored
}
