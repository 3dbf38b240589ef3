// Package checkpoint is what the hub signs of its log: how many events it has, and the
// root hash of the Merkle tree over their leaves, as a signed note (C2SP tlog-checkpoint
// and signed-note).
package checkpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxSize bounds a signed checkpoint, in bytes, with the signatures that witnesses add.
const MaxSize = 64 << 10

// A Checkpoint says what a log was when it had so many events.
type Checkpoint struct {
	// Origin names the log; see Origin.
	Origin string
	// Tree is the number of events, and the root hash over their leaves (RFC 6962).
	tlog.Tree
}

// Origin is the name of the log of a hub and of one generation. A log that was restored
// is another generation, so that it never contradicts what was signed of the one before.
func Origin(hub, generation string) string { return hub + "/" + generation }

// GenerationOf is the generation that an origin names.
func GenerationOf(origin string) string { return origin[strings.LastIndexByte(origin, '/')+1:] }

// Text is what is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.N, base64.StdEncoding.EncodeToString(c.Hash[:]))
}

// Sign is the signed note of a checkpoint.
func (c Checkpoint) Sign(by note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, by)
}

// errText: a note is not a checkpoint.
var errText = errors.New("this is not a checkpoint, which has an origin, a number of events and a root hash, each on a line")

// Parse reads the text of a checkpoint without looking at its signature. Lines behind the
// first three, which other logs have, mean nothing to us.
func Parse(text string) (c Checkpoint, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return c, errText
	}
	c.Origin = lines[0]
	if c.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.N < 0 || lines[1] != strconv.FormatInt(c.N, 10) {
		return c, errText
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return c, errText
	}
	c.Hash = tlog.Hash(hash)
	return c, nil
}

// Open checks that one of the keys has signed a checkpoint, and that it is the key of the
// log that the checkpoint names. Signatures of others, such as witnesses, are not looked at.
func Open(signed []byte, keys Keys) (Checkpoint, error) {
	if len(signed) > MaxSize {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %d bytes is not one: at most %d are read", len(signed), MaxSize)
	}
	n, err := note.Open(signed, keys.verifiers())
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		c, perr := Parse(unverified.Note.Text)
		if perr != nil {
			return Checkpoint{}, perr
		}
		return Checkpoint{}, fmt.Errorf("the checkpoint of %s is not signed with the key that you trust (%s)", c.Origin, keys)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the signature of the checkpoint does not verify: %w", err)
	}
	c, err := Parse(n.Text)
	if err != nil {
		return c, err
	}
	for _, s := range n.Sigs {
		if s.Name == c.Origin {
			return c, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("the checkpoint of %s is signed with the key of %s", c.Origin, n.Sigs[0].Name)
}
