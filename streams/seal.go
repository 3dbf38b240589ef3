package streams

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A seal is written when the server has stopped in order. It says what the
// files were then: a start that finds them so need not read them all, and one
// that finds less knows that something was taken away.
type seal struct {
	Generation string `json:"generation"`
	LastSeq    uint64 `json:"lastSeq"`
	Blocks     int    `json:"blocks"`
	Bytes      int64  `json:"bytes"` // of all blocks
	Index      string `json:"index"` // SHA-256 of the server's index file
}

func sealPath(dir string) string { return filepath.Join(dir, "seal.json") }

// readSeal returns the zero seal when there is none that can be read: it only
// ever saves time and adds a check.
func readSeal(dir string) seal {
	var s seal
	if data, err := os.ReadFile(sealPath(dir)); err == nil && json.Unmarshal(data, &s) != nil {
		return seal{}
	}
	return s
}

func (s seal) write(dir string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeDurably(sealPath(dir), append(data, '\n'))
}

// filesNow fills in what the files of the stream are.
func (s seal) filesNow(storeDir string, blocks []block) (seal, error) {
	s.Blocks, s.Bytes, s.Index = len(blocks), 0, ""
	for _, b := range blocks {
		s.Bytes += b.size
	}
	f, err := os.Open(filepath.Join(storeDir, "msgs", "index.db"))
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

// seal notes what the files are after an orderly stop. Without it the next
// start only takes longer.
func (l *Log) seal() {
	blocks, err := listBlocks(l.config.storeDir())
	if err == nil && l.ReadOnly() == nil && l.generation.ID != "" {
		s := seal{Generation: l.generation.ID, LastSeq: l.lastSeq.Load()}
		if s, err = s.filesNow(l.config.storeDir(), blocks); err == nil {
			err = s.write(l.config.Dir)
		}
	}
	if err != nil {
		l.log.Warn("the log's seal was not written", "error", err)
	}
}
