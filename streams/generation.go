package streams

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Generation is one life of the log. A log that was made again after it lost
// something is a new one, and says which it follows. It stands in the stream's
// metadata and in Dir/generation.json; the two must agree.
type Generation struct {
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
	MaxBytes int64     `json:"maxBytes"` // the stream's limit, in bytes

	// Resizing is the limit that the stream is being given, 0 when it is not:
	// a crash in between leaves the stream with the one or the other.
	Resizing int64 `json:"resizing,omitempty"`

	// Previous is the generation that this one follows and PreviousLast its
	// last sequence, as far as was known; empty for a log's first generation.
	Previous     string `json:"previous,omitempty"`
	PreviousLast uint64 `json:"previousLast,omitempty"`
}

func newGeneration(maxBytes int64) Generation {
	return Generation{ID: rand.Text(), Created: time.Now().UTC().Truncate(time.Second), MaxBytes: maxBytes}
}

// resized takes over the limit that the stream has, if it was being given it.
func (g Generation) resized(limit int64) Generation {
	if g.Resizing != 0 && limit == g.Resizing {
		g.MaxBytes = limit
	}
	g.Resizing = 0
	return g
}

func generationPath(dir string) string { return filepath.Join(dir, "generation.json") }

// readGeneration returns nil when there is no file.
func readGeneration(dir string) (*Generation, error) {
	data, err := os.ReadFile(generationPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var g Generation
	if err := json.Unmarshal(data, &g); err != nil || g.ID == "" {
		return nil, fmt.Errorf("%s is damaged: %w", generationPath(dir), err)
	}
	return &g, nil
}

func (g Generation) write(dir string) error {
	data, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	return writeDurably(generationPath(dir), append(data, '\n'))
}
