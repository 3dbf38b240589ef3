package projections

import "context"

// A Place keeps builds of projections: a directory of SQLite files or a
// PostgreSQL database. It is made by SQLiteDir or PostgresURL.
type Place interface {
	// Open opens a build and makes an empty one when it is not there.
	Open(ctx context.Context, p *Projection, o Options) (Store, error)
	// List says which builds are there, of any projection and version.
	List(ctx context.Context) ([]Info, error)
	// Switch makes the next build live and keeps the live one as the previous.
	// Both must be closed everywhere they could be written (ErrInUse). A crash
	// leaves either the old state or the new one.
	Switch(ctx context.Context, p *Projection) error
	// Back undoes a Switch: the previous build is live again, and what was
	// live is the next one.
	Back(ctx context.Context, p *Projection) error
	// Drop removes a build, also of a version that this program does not know.
	Drop(ctx context.Context, name string, version int, b Build) error

	// load begins a bulk load. What it loads becomes the build b of the
	// projection when it is finished, and until then is not there.
	load(ctx context.Context, m *model, b Build) (loader, error)
	// spill is the directory for sorted runs.
	spill() string
}

// Info is what a Place says of one build.
type Info struct {
	Name       string
	Version    int
	Build      Build
	Generation string
	Position   uint64
	Size       int64 // bytes
}

// A loader fills an empty store in bulk.
type loader interface {
	// workers is how many tables may be loaded at the same time.
	workers() int
	// table puts in all rows of one table, which come ordered by key, each key
	// once.
	table(ctx context.Context, table int, rows *rowStream) error
	// finish notes position and parked events, makes all durable and puts the
	// build in its place.
	finish(ctx context.Context, h header, parked []Parked) error
	// abort gives up, or does nothing after finish.
	abort()
}
