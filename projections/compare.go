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
	"strings"
	"time"
)

// CompareConfig says what is compared.
type CompareConfig struct {
	// Live is the build that answers now: AnswersOf its store, or what a running
	// program of an older version says.
	Live Answers
	// Next is the build that may take its place; nobody else writes it.
	Next Store
	// Source brings Next to the position of Live.
	Source Source
	Most   int // differences reported for each query; 0 means 20
	Logger *slog.Logger
}

// A Comparison is the outcome of comparing two builds at one position.
type Comparison struct {
	Position    uint64       `json:"position"`
	Answers     int          `json:"answers"`     // of Live, to the questions that both know
	Differences []Difference `json:"differences"` // the first of each query; empty: the builds agree
}

// A Difference is one answer that two builds do not share.
type Difference struct {
	Query string `json:"query"`
	Key   string `json:"key"`
	Live  string `json:"live"` // "" where there is no answer
	Next  string `json:"next"`
}

// errAhead: Live is behind Next, which cannot go back.
var errAhead = errors.New("the live build is behind the next one")

// Compare holds the answers of two builds at the same position side by side.
// Of Live, whose answers come once and in any order, it keeps none but those
// that differ; of Next it keeps hashes, so that millions of answers fit.
func Compare(ctx context.Context, cfg CompareConfig) (*Comparison, error) {
	if cfg.Most == 0 {
		cfg.Most = 20
	}
	const patience = 50 * time.Millisecond
	for {
		c, err := compareOnce(ctx, cfg)
		if !errors.Is(err, errAhead) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the builds did not meet at one position: %w", ctx.Err())
		case <-time.After(patience):
		}
	}
}

func compareOnce(ctx context.Context, cfg CompareConfig) (*Comparison, error) {
	c := &Comparison{}
	var state *snapshot
	sides := map[string]*side{}
	defer func() {
		if state != nil {
			state.close()
		}
	}()
	err := cfg.Live(ctx, func(position uint64) (err error) {
		c.Position = position
		if state, err = cfg.at(ctx, position); err != nil {
			return err
		}
		for _, q := range cfg.Next.model().Queries {
			s := &side{query: q, most: cfg.Most, differ: map[string]*Difference{}}
			if s.hashes, err = hashes(ctx, state, q); err != nil {
				return fmt.Errorf("query %s: %w", q.Name, err)
			}
			s.met = make([]bool, len(s.hashes))
			sides[q.Name] = s
		}
		return nil
	}, func(query, key, answer string) error {
		if s := sides[query]; s != nil { // else a question that is asked no more
			c.Answers++
			s.live(key, answer)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	for _, q := range cfg.Next.model().Queries {
		s := sides[q.Name]
		if err := s.next(ctx, state); err != nil {
			return nil, fmt.Errorf("compare %s: %w", q.Name, err)
		}
		c.Differences = append(c.Differences, s.differences()...)
	}
	return c, nil
}

// at is a state of Next at that position.
func (cfg CompareConfig) at(ctx context.Context, position uint64) (*snapshot, error) {
	now, err := cfg.Next.Position(ctx)
	if err != nil {
		return nil, err
	}
	if now > position {
		return nil, errAhead
	}
	if now < position {
		if err := CatchUp(ctx, cfg.Next, cfg.Source, position, cfg.Logger); err != nil {
			return nil, err
		}
	}
	return cfg.Next.snapshot(ctx)
}

// A side is what Next says to one question, and what Live says otherwise.
type side struct {
	query  Query
	most   int
	hashes []answerHash // sorted
	met    []bool       // Live says the same
	differ map[string]*Difference
}

type answerHash [16]byte

func compareHashes(a, b answerHash) int { return bytes.Compare(a[:], b[:]) }

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

// live takes one answer of Live. An answer that comes twice must be there twice.
func (s *side) live(key, answer string) {
	h := hashAnswer(key, answer)
	i, _ := slices.BinarySearchFunc(s.hashes, h, compareHashes)
	for ; i < len(s.hashes) && s.hashes[i] == h; i++ {
		if !s.met[i] {
			s.met[i] = true
			return
		}
	}
	if d := s.difference(key); d != nil {
		d.Live = join(d.Live, answer)
	}
}

// difference is the one of that key, nil when there are enough already.
func (s *side) difference(key string) *Difference {
	d := s.differ[key]
	if d == nil && len(s.differ) < s.most {
		d = &Difference{Query: s.query.Name, Key: key}
		s.differ[key] = d
	}
	return d
}

// next asks Next once more, for the text of what Live does not say.
func (s *side) next(ctx context.Context, state *snapshot) error {
	var missed []answerHash
	for i, met := range s.met {
		if !met {
			missed = append(missed, s.hashes[i])
		}
	}
	if len(missed) == 0 && len(s.differ) == 0 {
		return nil
	}
	return s.query.Run(ctx, state.db, func(key, answer string) error {
		if _, ok := slices.BinarySearchFunc(missed, hashAnswer(key, answer), compareHashes); ok {
			if d := s.difference(key); d != nil {
				d.Next = join(d.Next, answer)
			}
		}
		return nil
	})
}

func join(had, more string) string {
	if had == "" {
		return more
	}
	return had + " | " + more
}

func (s *side) differences() []Difference {
	var list []Difference
	for _, key := range slices.SortedFunc(maps.Keys(s.differ), strings.Compare) {
		list = append(list, *s.differ[key])
	}
	return list
}
