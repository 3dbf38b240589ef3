package evt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/streams/blockfile"
	"hubledger/streams/disk"
)

// A Seal notes what the log's files were when the server stopped in order. A
// start that finds them unchanged need not read them all, and one that finds
// less knows that something was taken away.
type Seal struct {
	Generation string `json:"generation"`
	LastSeq    uint64 `json:"lastSeq"`
	Blocks     int    `json:"blocks"`
	Bytes      int64  `json:"bytes"` // of all blocks
	Index      string `json:"index"` // SHA-256 of the server's index file
}

func sealPath(dir string) string { return filepath.Join(dir, "seal.json") }

// ReadSeal returns the zero Seal when there is none that can be read: a seal
// only ever saves time and adds a check.
func ReadSeal(dir string) Seal {
	var s Seal
	if data, err := os.ReadFile(sealPath(dir)); err == nil && json.Unmarshal(data, &s) != nil {
		return Seal{}
	}
	return s
}

// Write replaces the seal of a data directory.
func (s Seal) Write(dir string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return disk.WriteFile(sealPath(dir), append(data, '\n'))
}

// WithFiles is the seal with what the files of the log in dir are now.
func (s Seal) WithFiles(dir string, blocks []blockfile.Block) (Seal, error) {
	s.Blocks, s.Bytes, s.Index = len(blocks), blockfile.Size(blocks), ""
	f, err := os.Open(filepath.Join(StreamDir(dir, StreamName), "msgs", "index.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	s.Index = hex.EncodeToString(h.Sum(nil))
	return s, err
}
