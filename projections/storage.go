package projections

import "context"

// A Storage keeps builds of projections: a directory of SQLite files
// (sqlitestore.Dir) or a PostgreSQL database (pgstore.URL).
type Storage interface {
	// Open opens a build, and makes an empty one when there is none.
	Open(ctx context.Context, p *Projection, o Options) (Store, error)
	// List describes the builds that are there, of any projection and version. With
	// an error the list has those that could be read.
	List(ctx context.Context) ([]Info, error)
	// Switch makes the next build live and keeps the live one as the previous.
	// Nobody may have either of them open for writing (ErrInUse). A crash
	// leaves either the old state or the new one.
	Switch(ctx context.Context, p *Projection) error
	// Back undoes a Switch: the previous build is live again, and the build
	// that was live becomes the next one.
	Back(ctx context.Context, p *Projection) error
	// Drop removes a build, also of a version that this program does not know.
	Drop(ctx context.Context, name string, version int, b Build) error
}

// Info describes one build in a Storage.
type Info struct {
	Name       string
	Version    int
	Build      Build
	Generation string
	Position   uint64
	Size       int64 // bytes
}
