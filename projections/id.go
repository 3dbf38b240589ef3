package projections

import (
	"fmt"

	"github.com/google/uuid"
)

// IDBytes is a UUID as the tables of read models hold it, in 16 bytes.
func IDBytes(id string) ([]byte, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, err)
	}
	return u[:], nil
}

// IDOf is the UUID that tables hold as these bytes; "" for none.
func IDOf(raw []byte) string {
	u, err := uuid.FromBytes(raw)
	if err != nil {
		return ""
	}
	return u.String()
}
