package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/internal/durable"
)

// Witnesses are the keys of the witnesses that have cosigned checkpoints of the log; none
// when nobody has.
func (d Dir) Witnesses() ([]*checkpoint.WitnessKey, error) {
	text, err := os.ReadFile(d.file("witnesses"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseWitnessKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.file("witnesses"), err)
	}
	return keys, nil
}

// Cosign adds what a witness has answered to the last checkpoint, if that is still c.
func (g *Grower) Cosign(k *checkpoint.WitnessKey, c checkpoint.Checkpoint, answer []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	signed, last, err := g.Dir.Signed()
	if err != nil || last != c {
		return err
	}
	if _, ok := k.Cosigned(signed); ok {
		return nil
	}
	with, err := k.WithCosignature(signed, answer)
	if err != nil {
		return err
	}
	files := durable.NewBatch(g.fs(), string(g.Dir))
	if err := g.putWitness(files, k); err != nil {
		return err
	}
	if err := files.Put("checkpoint", with); err != nil {
		return err
	}
	return files.Sync()
}

// putWitness keeps the key of a witness, unless it is there.
func (g *Grower) putWitness(files *durable.Batch, k *checkpoint.WitnessKey) error {
	known, err := g.Dir.Witnesses()
	if err != nil || slices.ContainsFunc(known, func(other *checkpoint.WitnessKey) bool { return other.String() == k.String() }) {
		return err
	}
	var text strings.Builder
	for _, one := range append(known, k) {
		fmt.Fprintln(&text, one)
	}
	return files.Put("witnesses", []byte(text.String()))
}
