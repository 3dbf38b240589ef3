package projections

// A Dialect is the SQL of a store, for the little in which the stores differ:
// how texts are searched. Everything else runs on both as it is.
type Dialect uint8

const (
	SQLite Dialect = iota
	Postgres
)

func (d Dialect) String() string {
	if d == Postgres {
		return "PostgreSQL"
	}
	return "SQLite"
}
