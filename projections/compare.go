package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// CompareConfig says what is compared.
type CompareConfig struct {
	// Live are the results of the build that is in use: ResultsOf its store, or
	// what a running program of an older version reports.
	Live Results
	// Next is the build that is to replace it; nobody else writes it.
	Next Store
	// Source brings Next to the position of Live.
	Source Source
	Most   int // differences reported for each query; 0 means 20
	Logger *slog.Logger
}

// A Comparison is the outcome of comparing two builds at one position.
type Comparison struct {
	Position    uint64       `json:"position"`
	Results     int          `json:"answers"`     // of Live, to the queries that both builds have
	Differences []Difference `json:"differences"` // the first of each query; empty: the builds agree
}

// A Difference is one result that two builds do not share.
type Difference struct {
	Query string `json:"query"`
	Key   string `json:"key"`
	Live  string `json:"live"` // "" where there is no result for the key
	Next  string `json:"next"` // "" where there is no result for the key
}

// errAhead: Next has applied more events than Live, and cannot go back.
var errAhead = errors.New("the live build is behind the next one")

// Compare runs the queries on two builds at the same position and finds the
// results that differ. Of Live, whose results come once and in any order, it
// keeps only those that differ; of Next it keeps hashes, so that millions of
// results fit into memory.
func Compare(ctx context.Context, cfg CompareConfig) (*Comparison, error) {
	if cfg.Most == 0 {
		cfg.Most = 20
	}
	const pause = 50 * time.Millisecond
	for {
		c, err := compareOnce(ctx, cfg)
		if !errors.Is(err, errAhead) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the builds did not meet at one position: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

func compareOnce(ctx context.Context, cfg CompareConfig) (*Comparison, error) {
	c := &Comparison{}
	var state *Snapshot
	queries := map[string]*comparedQuery{}
	defer func() {
		if state != nil {
			state.Close()
		}
	}()
	err := cfg.Live(ctx, func(position uint64) (err error) {
		c.Position = position
		if state, err = cfg.nextAt(ctx, position); err != nil {
			return err
		}
		for _, q := range cfg.Next.Model().Queries {
			if queries[q.Name], err = newComparedQuery(ctx, q, state, cfg.Most); err != nil {
				return fmt.Errorf("query %s: %w", q.Name, err)
			}
		}
		return nil
	}, func(query, key, result string) error {
		if q := queries[query]; q != nil { // else Next does not have this query any more
			c.Results++
			q.addLive(key, result)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	for _, q := range cfg.Next.Model().Queries {
		compared := queries[q.Name]
		if err := compared.addNext(ctx, state); err != nil {
			return nil, fmt.Errorf("compare %s: %w", q.Name, err)
		}
		c.Differences = append(c.Differences, compared.sorted()...)
	}
	return c, nil
}

// nextAt is the state of Next at that position.
func (cfg CompareConfig) nextAt(ctx context.Context, position uint64) (*Snapshot, error) {
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
	return cfg.Next.Snapshot(ctx)
}
