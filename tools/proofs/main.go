// Command proofs checks proofs of Hubledger with two verifiers that others have written, and
// with nothing of ours: torchwood reads the whole file, transparency-dev/merkle computes the
// root once more. The tests of the product run it.
//
//	proofs [-witness KEY] [-leaf HEX] KEYS PROOF...
//
// With -witness the witness of that key must have cosigned each. With -leaf it is proved that
// an event of that leaf stands in the log, and the record in the proof is not looked at: that
// of an event that was redacted does not have the leaf any more.
// It prints a line for each proof, and fails at the first one that is not valid.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "proofs:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var witness *torchwood.CosignatureVerifier
	var leaf *tlog.Hash
	if len(args) > 1 && args[0] == "-witness" {
		var err error
		if witness, err = torchwood.NewCosignatureVerifier(args[1]); err != nil {
			return err
		}
		args = args[2:]
	}
	if len(args) > 1 && args[0] == "-leaf" {
		raw, err := hex.DecodeString(args[1])
		if err != nil || len(raw) != tlog.HashSize {
			return fmt.Errorf("%q is not a leaf: 64 hexadecimal digits", args[1])
		}
		leaf = (*tlog.Hash)(raw)
		args = args[2:]
	}
	if len(args) < 2 {
		return errors.New("usage: proofs [-witness KEY] [-leaf HEX] KEYS PROOF...")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	key := strings.TrimSpace(string(text))
	verifier, err := note.NewVerifier(key[strings.LastIndexByte(key, '\n')+1:])
	if err != nil {
		return err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
	if witness != nil {
		policy = torchwood.ThresholdPolicy(2, policy, torchwood.SingleVerifierPolicy(witness))
	}
	for _, name := range args[1:] {
		file, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		size, err := check(policy, file, leaf)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s: stands in the %d events of %s\n", name, size, verifier.Name())
	}
	return nil
}

// check is how many events the log had that the proof is about. Without a leaf that of the
// record in the proof is computed, by each verifier for itself.
func check(policy torchwood.Policy, file []byte, leaf *tlog.Hash) (size uint64, err error) {
	record, err := torchwood.ProofExtraData(file)
	if err != nil {
		return 0, err
	}
	recordHash, leafHash := tlog.RecordHash(record), rfc6962.DefaultHasher.HashLeaf(record)
	if leaf != nil {
		recordHash, leafHash = *leaf, leaf[:]
	}
	if err := torchwood.VerifyProof(policy, recordHash, file); err != nil {
		return 0, fmt.Errorf("torchwood: %w", err)
	}
	// What torchwood has verified is taken apart once more, for the other one.
	head, signed, _ := strings.Cut(string(file), "\n\n")
	lines := strings.Split(head, "\n")
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return 0, err
	}
	var hashes [][]byte
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return 0, err
		}
		hashes = append(hashes, hash)
	}
	text, _, _ := strings.Cut(signed, "\n\n")
	c, err := torchwood.ParseCheckpoint(text + "\n")
	if err != nil {
		return 0, err
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, uint64(c.N), leafHash, hashes, c.Hash[:]); err != nil {
		return 0, fmt.Errorf("transparency-dev/merkle: %w", err)
	}
	return uint64(c.N), nil
}
