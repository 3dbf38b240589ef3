package checkpoint_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
)

// aWitness signs as C2SP tlog-cosignature says.
func aWitness(name string, n int) (vkey string, sign func(text string, at int64) string) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	key := ed25519.NewKeyFromSeed(seed[:])
	public := append([]byte{4}, key.Public().(ed25519.PublicKey)...)
	hash := sha256.Sum256(append([]byte(name+"\n"), public...))
	return fmt.Sprintf("%s+%x+%s", name, hash[:4], base64.StdEncoding.EncodeToString(public)), func(text string, at int64) string {
		sig := ed25519.Sign(key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))
		return "— " + name + " " + base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(bytes.Clone(hash[:4]), uint64(at)), sig...)) + "\n"
	}
}

func TestCosignature(t *testing.T) {
	c := checkpoint.Checkpoint{Origin: origin, Tree: tlog.Tree{N: 12, Hash: tlog.RecordHash([]byte("x"))}}
	signer, public := aKey(t, origin, 1)
	signed, err := c.Sign(signer)
	check(t, err)
	vkey, sign := aWitness("witness.test/w", 1)
	k, err := checkpoint.ParseWitnessKey(vkey + "\n")
	check(t, err)
	if _, ok := k.Cosigned(signed); ok {
		t.Error("it has signed before it did")
	}
	_, another := aWitness("witness.test/w", 2)
	with, err := k.WithCosignature(signed, []byte(another(c.Text(), 5)+"nonsense\n"+sign(c.Text(), 1234)))
	check(t, err)
	if at, ok := k.Cosigned(with); !ok || !at.Equal(time.Unix(1234, 0)) || k.Name() != "witness.test/w" {
		t.Errorf("signed at %v, %t", at, ok)
	}
	// It is the same checkpoint for everybody else.
	if got, err := checkpoint.Open(with, checkpoint.Keys{public}); err != nil || got != c {
		t.Errorf("%+v %v", got, err)
	}
	if got := c.Alone(with); !bytes.Equal(got, signed) {
		t.Errorf("without the witness it is %s", got)
	}
	if got := checkpoint.Cosignatures(with, []*checkpoint.WitnessKey{k}); len(got) != 1 || got[0].Witness != k.Name() {
		t.Errorf("it is cosigned by %v", got)
	}
	other := c
	other.N++
	for name, lines := range map[string]string{"nothing": "", "of another key": another(c.Text(), 5), "of another checkpoint": sign(other.Text(), 5), "without an end": strings.TrimSuffix(sign(c.Text(), 5), "\n"),
		"too long": strings.Repeat("x", checkpoint.MaxSize) + "\n"} {
		if with, err := k.WithCosignature(signed, []byte(lines)); err == nil {
			t.Errorf("%s: %s", name, with)
		}
	}
	line := len(signed)
	for at := line; at < len(with)-1; at++ {
		changed := bytes.Clone(with)
		changed[at] ^= 1
		if _, ok := k.Cosigned(changed); ok {
			t.Errorf("with byte %d changed it counts", at)
		}
	}
}

func TestWitnessKeyRefused(t *testing.T) {
	good, _ := aWitness("witness.test/w", 1)
	_, log := aKey(t, origin, 1)
	for _, text := range []string{"", "x", log, good[:len(good)-4], strings.Replace(good, "witness", "fitness", 1), strings.Replace(good, "+", "+0", 1), " +" + good} {
		if k, err := checkpoint.ParseWitnessKey(text); err == nil {
			t.Errorf("%q is the key of %s", text, k.Name())
		}
	}
}
