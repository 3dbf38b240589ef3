package catalog

import (
	"errors"

	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// Reader queries the read model.
type Reader struct {
	DB      projections.DB
	Dialect projections.Dialect // of the store: its Dialect()
}
