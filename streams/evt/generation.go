package evt

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"hubledger/streams/disk"
)

// A Generation is the identity of a log. A log that was made again after it
// lost something is a new generation and names the one it follows. The
// generation stands in the stream's metadata and in generation.json of the data
// directory; the two must agree.
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

	// Kept is how many events of that one this one has; 0 when that is not known.
	Kept uint64 `json:"kept,omitempty"`
}

// NewGeneration is a generation that follows no other one.
func NewGeneration(maxBytes int64) Generation {
	return Generation{ID: rand.Text(), Created: time.Now().UTC().Truncate(time.Second), MaxBytes: maxBytes}
}

// Resized takes over the limit that the stream has, if it was being given it.
func (g Generation) Resized(limit int64) Generation {
	if g.Resizing != 0 && limit == g.Resizing {
		g.MaxBytes = limit
	}
	g.Resizing = 0
	return g
}

// GenerationPath is the file that names the generation of a data directory.
func GenerationPath(dir string) string { return filepath.Join(dir, "generation.json") }

// ErrGenerationFile: the file that names the generation is damaged.
var ErrGenerationFile = errors.New("does not name a generation")

// ReadGeneration reads the generation of a data directory, nil when it has none.
// The error wraps ErrGenerationFile when the file can be read but is damaged.
func ReadGeneration(dir string) (*Generation, error) {
	data, err := os.ReadFile(GenerationPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var g Generation
	if err := json.Unmarshal(data, &g); err != nil || g.ID == "" {
		return nil, fmt.Errorf("%s %w", GenerationPath(dir), ErrGenerationFile)
	}
	return &g, nil
}

// Write replaces the generation of a data directory.
func (g Generation) Write(dir string) error {
	data, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(GenerationPath(dir), append(data, '\n'))
}
