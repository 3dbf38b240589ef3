package accounts

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// Reader queries the read model. Ids are UUIDs as text; an id that is no UUID is
// not found.
type Reader struct{ DB projections.DB }

// key is projections.IDBytes of an id that a caller asks for.
func key(id string) ([]byte, error) {
	raw, err := projections.IDBytes(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	return raw, nil
}

// timeOf is the time that a column holds in microseconds; the zero time for 0.
func timeOf(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

func notFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf(format+": %w", append(args, ErrNotFound)...)
	}
	return err
}
