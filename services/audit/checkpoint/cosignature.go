package checkpoint

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// cosignatureV1 is the algorithm of the keys of witnesses (C2SP tlog-cosignature).
const cosignatureV1 = 4

// A WitnessKey is the public key of a witness, which says of a checkpoint when it has seen
// it, and that it follows from all that it had seen before.
type WitnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	text string
}

var errWitnessKey = errors.New("this is not the key of a witness, which looks like witness.example.com/name+1a2b3c4d+BAID…")

// ParseWitnessKey reads a verifier key of the type cosignature/v1.
func ParseWitnessKey(text string) (*WitnessKey, error) {
	parts := strings.SplitN(strings.TrimSpace(text), "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsFunc(parts[0], unicode.IsSpace) || len(parts[1]) != 8 {
		return nil, errWitnessKey
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, errWitnessKey
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureV1 {
		return nil, errWitnessKey
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if binary.BigEndian.Uint32(sum[:]) != uint32(hash) {
		return nil, errors.New("a character of the key of the witness is wrong: its hash is another one")
	}
	return &WitnessKey{name: parts[0], hash: uint32(hash), key: key[1:], text: strings.TrimSpace(text)}, nil
}

// Name is what the witness is called.
func (k *WitnessKey) Name() string { return k.name }

// String is the key in one line, as ParseWitnessKey reads it.
func (k *WitnessKey) String() string { return k.text }

// KeyHash is of note.Verifier.
func (k *WitnessKey) KeyHash() uint32 { return k.hash }

// Verify is of note.Verifier.
func (k *WitnessKey) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	signed := fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at)
	return ed25519.Verify(k.key, append(signed, msg...), sig[8:])
}

// Cosigned says when the witness has signed a checkpoint, which Open has judged. ok is false
// when it has not.
func (k *WitnessKey) Cosigned(signed []byte) (at time.Time, ok bool) {
	n, err := note.Open(signed, note.VerifierList(k))
	if err != nil {
		return at, false
	}
	for _, s := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err == nil && len(raw) == 4+8+ed25519.SignatureSize {
			return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), true
		}
	}
	return at, false
}

// WithCosignature is a signed checkpoint with the signature of a witness as well, of the
// lines that it has answered. What is not its signature of this checkpoint is left out.
func (k *WitnessKey) WithCosignature(signed, lines []byte) ([]byte, error) {
	for line := range strings.Lines(string(lines)) {
		if !strings.HasPrefix(line, "— "+k.name+" ") || !strings.HasSuffix(line, "\n") {
			continue
		}
		with := append(append([]byte{}, signed...), line...)
		if _, ok := k.Cosigned(with); ok && len(with) <= MaxSize {
			return with, nil
		}
	}
	return nil, errors.New("its answer has no signature of the checkpoint by the key that is named for it")
}

// ParseWitnessKeys reads keys, each in a line. Empty lines, and those that begin with #,
// count for nothing.
func ParseWitnessKeys(text string) (keys []*WitnessKey, err error) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("there are more than %d keys of witnesses", maxKeys)
		}
		k, err := ParseWitnessKey(line)
		if err != nil {
			return nil, fmt.Errorf("%.200q: %w", line, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// A Cosignature is that of a witness.
type Cosignature struct {
	Witness string    // its name
	Time    time.Time // when it has seen the checkpoint, by its own clock
}

// Cosignatures are those of a signed checkpoint by these witnesses.
func Cosignatures(signed []byte, by []*WitnessKey) (list []Cosignature) {
	for _, k := range by {
		if at, ok := k.Cosigned(signed); ok {
			list = append(list, Cosignature{k.name, at})
		}
	}
	return list
}

// Alone is a signed checkpoint with the log's own signatures only, as witnesses get it.
func (c Checkpoint) Alone(signed []byte) []byte {
	text, signatures, _ := bytes.Cut(signed, []byte("\n\n"))
	alone := append(append([]byte{}, text...), "\n\n"...)
	for line := range bytes.Lines(signatures) {
		if bytes.HasPrefix(line, []byte("— "+c.Origin+" ")) {
			alone = append(alone, line...)
		}
	}
	return alone
}
