// Package readmodel has the read models of a node: it opens their builds, lets them
// follow the log, answers queries from the build that is live, and switches builds.
package readmodel

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/sqlitestore"
)

// A Log is what read models need of the log.
type Log interface {
	projections.Source
	// Generation is the generation of the log, Follows the one that it was restored
	// from; "" for none.
	Generation() string
	Follows() string
	// ReadOnly is why the log is not trusted; nil when it is.
	ReadOnly() error
	// WhileStarting repeats a step of a start until it is decided.
	WhileStarting(ctx context.Context, step func() error) error
}

// Config is what a node gives to its read models.
type Config struct {
	Data        string // the data directory
	PostgresURL string // where they are kept; "": SQLite files in the data directory
	Log         Log
	Logger      *slog.Logger
	// Progress is called with the progress of a long start.
	Progress func(what string, done, total int64)
}

// A Set is the read models of a node.
type Set struct {
	Config
	storage projections.Storage
	handles []*Model // every read model of the program, open or not
	models  []*Model // in the order in which they start
	missing []string
	ending  context.Context // ends when the read models are to stop following the log
	stop    context.CancelFunc
	running sync.WaitGroup // their runners
}

// New makes a set of which no read model is open.
func New(c Config) *Set {
	s := &Set{Config: c, storage: Storage(c.Data, c.PostgresURL)}
	s.ending, s.stop = context.WithCancel(context.Background())
	return s
}

// Storage is where projections are kept: SQLite files in the data directory, or
// schemas of a PostgreSQL database.
func Storage(data, postgres string) projections.Storage {
	if postgres != "" {
		return pgstore.URL(postgres)
	}
	return sqlitestore.Dir(filepath.Join(data, "projections"))
}

// Of is the one model of a projection. It can be given to readers before it is open.
func (s *Set) Of(p *projections.Projection) *Model {
	for _, m := range s.handles {
		if m.Projection == p {
			return m
		}
	}
	m := &Model{Projection: p, set: s}
	s.handles = append(s.handles, m)
	return m
}

// Models are those that the node keeps, in the order in which they start.
func (s *Set) Models() []*Model { return s.models }

// Named finds a model that the node keeps; nil when it does not.
func (s *Set) Named(name string) *Model {
	for _, m := range s.models {
		if m.Projection.Name == name {
			return m
		}
	}
	return nil
}

// Missing are the names of those that answer requests, and cannot, because there was
// no build of them and the log is read-only.
func (s *Set) Missing() []string { return s.missing }
