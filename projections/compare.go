package projections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// CompareConfig says what is compared.
type CompareConfig struct {
	Live, Next Store
	// Source brings Next to the position of Live when it is behind. Nil: the
	// two must meet by themselves.
	Source Source
	// LiveQueries are asked of Live, by name the same questions as the
	// projection's own that are asked of Next. Nil: the projection's own.
	LiveQueries []Query
	Most        int // differences reported for each query; 0 means 20
	Logger      *slog.Logger
}

// A Comparison is the outcome of comparing two builds at one position.
type Comparison struct {
	Position    uint64
	Answers     int          // in all queries of Live
	Differences []Difference // the first of each query; empty: the builds agree
}

// A Difference is one answer that two builds do not share.
type Difference struct {
	Query, Key string
	Live, Next string // the answers; "" where there is none
}

// Compare asks two builds the projection's named queries, on one state of each
// at the same position, and reports the answers that differ.
func Compare(ctx context.Context, cfg CompareConfig) (*Comparison, error) {
	if cfg.Most == 0 {
		cfg.Most = 20
	}
	next := cfg.Next.model().Queries
	live := cfg.LiveQueries
	if live == nil {
		live = cfg.Live.model().Queries
	}
	a, b, err := meet(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer a.close()
	defer b.close()
	c := &Comparison{Position: a.position}
	for _, q := range next {
		i := slices.IndexFunc(live, func(l Query) bool { return l.Name == q.Name })
		if i < 0 {
			continue // a question that the live version did not know
		}
		if err := c.query(ctx, a, live[i], b, q, cfg.Most); err != nil {
			return nil, fmt.Errorf("compare %s: %w", q.Name, err)
		}
	}
	return c, nil
}

// meet takes snapshots of both stores at the same position.
func meet(ctx context.Context, cfg CompareConfig) (a, b *snapshot, err error) {
	const patience = 50 * time.Millisecond
	for {
		b = nil
		if a, err = cfg.Live.snapshot(ctx); err != nil {
			return nil, nil, err
		}
		position, err := cfg.Next.Position(ctx)
		if err == nil && position < a.position && cfg.Source != nil {
			err = CatchUp(ctx, cfg.Next, cfg.Source, a.position, cfg.Logger)
		}
		if err == nil {
			b, err = cfg.Next.snapshot(ctx)
		}
		if err == nil && a.position == b.position {
			return a, b, nil
		}
		if b != nil {
			b.close()
		}
		a.close()
		if err != nil {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("the builds did not meet at one position: %w", ctx.Err())
		case <-time.After(patience):
		}
	}
}

type answerHash [16]byte

// query compares hashes first and asks again only to name what differs, so
// that millions of answers fit.
func (c *Comparison) query(ctx context.Context, a *snapshot, ask Query, b *snapshot, askNext Query, most int) error {
	live, err := hashes(ctx, a, ask)
	if err != nil {
		return err
	}
	next, err := hashes(ctx, b, askNext)
	if err != nil {
		return err
	}
	c.Answers += len(live)
	onlyLive, onlyNext := missing(live, next, most), missing(next, live, most)
	if len(onlyLive)+len(onlyNext) == 0 {
		return nil
	}
	found := map[string]*Difference{}
	note := func(key, _ string) { found[key] = &Difference{Query: ask.Name, Key: key} }
	if err := name(ctx, a, ask, onlyLive, note); err != nil {
		return err
	}
	if err := name(ctx, b, askNext, onlyNext, note); err != nil {
		return err
	}
	if err := answers(ctx, a, ask, found, func(d *Difference, answer string) { d.Live += answer }); err != nil {
		return err
	}
	if err := answers(ctx, b, askNext, found, func(d *Difference, answer string) { d.Next += answer }); err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(found))
	for _, key := range keys[:min(most, len(keys))] {
		c.Differences = append(c.Differences, *found[key])
	}
	return nil
}

// answers adds what one side says to the keys that were found.
func answers(ctx context.Context, s *snapshot, q Query, found map[string]*Difference, add func(d *Difference, answer string)) error {
	return q.Run(ctx, s.db, func(key, answer string) error {
		if d := found[key]; d != nil {
			add(d, answer)
		}
		return nil
	})
}

func hashAnswer(key, answer string) (h answerHash) {
	b := binary.AppendUvarint(nil, uint64(len(key)))
	sum := sha256.Sum256(append(append(b, key...), answer...))
	copy(h[:], sum[:])
	return h
}

func hashes(ctx context.Context, s *snapshot, q Query) ([]answerHash, error) {
	var list []answerHash
	err := q.Run(ctx, s.db, func(key, answer string) error {
		list = append(list, hashAnswer(key, answer))
		return nil
	})
	slices.SortFunc(list, compareHashes)
	return list, err
}

func compareHashes(a, b answerHash) int { return bytes.Compare(a[:], b[:]) }

// missing returns up to most elements of a that are not in b, counting repeats.
func missing(a, b []answerHash, most int) []answerHash {
	var list []answerHash
	for len(a) > 0 && len(list) < most {
		switch {
		case len(b) == 0 || compareHashes(a[0], b[0]) < 0:
			list = append(list, a[0])
			a = a[1:]
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		default:
			b = b[1:]
		}
	}
	return list
}

var errNamed = errors.New("all were named")

// name calls fn with the answers of those hashes.
func name(ctx context.Context, s *snapshot, q Query, wanted []answerHash, fn func(key, answer string)) error {
	left := len(wanted)
	if left == 0 {
		return nil
	}
	err := q.Run(ctx, s.db, func(key, answer string) error {
		if _, ok := slices.BinarySearchFunc(wanted, hashAnswer(key, answer), compareHashes); ok {
			fn(key, answer)
			if left--; left == 0 {
				return errNamed
			}
		}
		return nil
	})
	if errors.Is(err, errNamed) {
		return nil
	}
	return err
}
