package builds

import (
	"database/sql"
	"encoding/json"
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

func key(id string) ([]byte, error) {
	raw, err := projections.IDBytes(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	return raw, nil
}

func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// optionalOf reads JSON; nil for empty text.
func optionalOf[T any](text string) (v *T, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

func one[T any](v *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}
