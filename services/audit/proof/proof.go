// Package proof is the proof that one event stands in the log, as a file that verifies
// without the hub (C2SP tlog-proof). The extra data in it is the event's record, whole:
// what is proved is that of which it is the record.
package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
)

// MaxSize bounds a proof, in bytes: the record of the largest event in base64, and the rest.
const MaxSize = events.MaxDataSize*4/3 + 1<<20

const header = "c2sp.org/tlog-proof@v1"

// ErrNotSigned: the event came after the last signed checkpoint.
var ErrNotSigned = errors.New("it is not in a signed checkpoint yet; the next one is signed within a minute")

// A Proof is what such a file says. Nothing of it is to be believed before Verify.
type Proof struct {
	Record []byte // of the event; see events.Record
	Index  int64  // of its leaf: the sequence less one
	Hashes tlog.RecordProof
	Signed []byte // the checkpoint
}

// Make proves an event by the tree of a directory. The error wraps ErrNotSigned or
// fs.ErrNotExist, when nothing was signed yet.
func Make(dir tree.Dir, e *events.Event) (*Proof, error) {
	signed, c, err := dir.Signed()
	if err != nil {
		return nil, fmt.Errorf("prove event %d: %w", e.Seq, err)
	}
	if int64(e.Seq) > c.N {
		return nil, fmt.Errorf("event %d: %w", e.Seq, ErrNotSigned)
	}
	p := &Proof{Record: events.Record(e), Index: int64(e.Seq) - 1, Signed: signed}
	if p.Hashes, err = tlog.ProveRecord(c.N, p.Index, dir.Hashes(c.Tree)); err != nil {
		return nil, fmt.Errorf("prove event %d: %w", e.Seq, err)
	}
	if tlog.CheckRecord(p.Hashes, c.N, c.Hash, p.Index, tlog.Hash(events.LeafOf(e))) != nil {
		return nil, fmt.Errorf("event %d is not the one that was signed: run `hubledger verify`", e.Seq)
	}
	return p, nil
}

// Text is the file.
func (p *Proof) Text() []byte {
	b := bytes.NewBuffer(make([]byte, 0, base64.StdEncoding.EncodedLen(len(p.Record))+len(p.Signed)+50*len(p.Hashes)+100))
	fmt.Fprintf(b, "%s\nextra %s\nindex %d\n", header, base64.StdEncoding.EncodeToString(p.Record), p.Index)
	for _, h := range p.Hashes {
		fmt.Fprintf(b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteByte('\n')
	b.Write(p.Signed)
	return b.Bytes()
}

var errFormat = errors.New("this is not a proof of an event: the first line of one is " + header)

// Parse reads a file.
func Parse(text []byte) (*Proof, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%w, and it has at most %d bytes", errFormat, MaxSize)
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.SplitN(head, "\n", 3+64)
	if !found || len(lines) < 3 || lines[0] != header || len(lines) > 3+63 {
		return nil, errFormat
	}
	p := &Proof{Signed: []byte(signed)}
	extra, ok := strings.CutPrefix(lines[1], "extra ")
	if !ok {
		return nil, errors.New("the proof has no event in it (no line extra)")
	}
	var err error
	if p.Record, err = base64.StdEncoding.Strict().DecodeString(extra); err != nil {
		return nil, errFormat
	}
	index, ok := strings.CutPrefix(lines[2], "index ")
	if p.Index, err = strconv.ParseInt(index, 10, 64); !ok || err != nil || p.Index < 0 || strconv.FormatInt(p.Index, 10) != index {
		return nil, errFormat
	}
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return nil, errFormat
		}
		p.Hashes = append(p.Hashes, tlog.Hash(hash))
	}
	return p, nil
}

// Verify returns the event that the proof proves, and the checkpoint in which it stands.
// The checkpoint must be signed with one of the keys. Of an event that was redacted it is
// proved that one with its leaf stands there, and nothing else that it says.
func (p *Proof) Verify(keys checkpoint.Keys) (*events.Event, checkpoint.Checkpoint, error) {
	c, err := checkpoint.Open(p.Signed, keys)
	if err != nil {
		return nil, c, err
	}
	e, err := events.ReadRecord(p.Record)
	if err != nil {
		return nil, c, err
	}
	if p.Index >= c.N || tlog.CheckRecord(p.Hashes, c.N, c.Hash, p.Index, tlog.Hash(events.LeafOf(&e))) != nil {
		return nil, c, fmt.Errorf("the event in the proof does not stand at place %d of the log of %d events that was signed", p.Index+1, c.N)
	}
	if e.Seq != uint64(p.Index)+1 {
		return nil, c, fmt.Errorf("the event says that it is event %d, and stands at place %d of the log", e.Seq, p.Index+1)
	}
	return &e, c, nil
}
