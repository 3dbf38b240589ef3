package backup

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
)

// A Verified backup is what was found to be whole, and what was not.
type Verified struct {
	Points    int             `json:"points"` // that can be restored
	Events    uint64          `json:"events"`
	Root      string          `json:"root"`             // of the Merkle tree over their leaves, base64
	Signed    int64           `json:"signed,omitempty"` // events in the checkpoint that lies beside them
	Origin    string          `json:"origin,omitempty"` // of that checkpoint
	Secrets   int             `json:"secrets"`
	Blobs     int             `json:"blobs"`
	BlobBytes int64           `json:"blobBytes"`
	Damaged   []digest.Digest `json:"damaged,omitempty"` // blobs that are missing or rotten; not counted above
}

// Verify compares all that a backup or an archive has with its hashes: every segment, the
// tree over all events as each of the backups has it and as it was signed, the secrets,
// and every blob. Keys must have signed the checkpoint; nil: those beside it. ErrDamaged for
// all but blobs, which are listed.
func Verify(ctx context.Context, dir string, keys checkpoint.Keys, progress func(done, total int64, unit string)) (v Verified, err error) {
	points, err := Points(dir)
	if err != nil {
		return v, err
	}
	last := points[len(points)-1]
	if err := verifyLog(ctx, dir, points, keys, &v, progress); err != nil {
		return v, err
	}
	v.Points, v.Events, v.Root = len(points), last.Events, last.Root
	err = Secrets(dir, last, func(string, []byte) error {
		v.Secrets++
		return nil
	})
	if err != nil {
		return v, err
	}
	seen := map[string]bool{}
	for _, p := range points {
		err := listedBlobs(dir, p, func(b listed) error {
			path := b.path(dir)
			if seen[path] {
				return nil
			}
			seen[path] = true
			err := verifyBlob(ctx, path, b)
			if errors.Is(err, ErrDamaged) {
				v.Damaged = append(v.Damaged, b.Digest)
				return nil
			}
			v.Blobs++
			v.BlobBytes += b.Size
			progress(v.BlobBytes, max(last.BlobBytes, v.BlobBytes), "bytes")
			return err
		})
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

// verifyLog reads the whole log, and compares the tree over it where a backup ends and
// where it was signed.
func verifyLog(ctx context.Context, dir string, points []Summary, keys checkpoint.Keys, v *Verified, progress func(int64, int64, string)) error {
	last := points[len(points)-1]
	roots := map[uint64]string{}
	for _, s := range points {
		if s.Generation != last.Generation {
			return fmt.Errorf("the backup %s is of generation %s, the last one is of %s: %w", s.ID, s.Generation, last.Generation, ErrDamaged)
		}
		roots[s.Events] = s.Root
	}
	signed, err := readSigned(dir, keys)
	if err != nil {
		return err
	}
	if signed == nil && keys != nil {
		return errors.New("there is no checkpoint in the directory, so it does not say whose log it has: nothing was signed when it was made")
	}
	if signed != nil {
		v.Signed, v.Origin = signed.N, signed.Origin
		if of := checkpoint.GenerationOf(signed.Origin); of != last.Generation || uint64(signed.N) > last.Events {
			return fmt.Errorf("its checkpoint is of %d events of generation %s, its log has %d of %s: %w", signed.N, of, last.Events, last.Generation, ErrDamaged)
		}
	}
	own, of := peaks{format: segmentFormat}, peaks{}
	list, err := Segments(dir)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		of.format = list[0].Format
	}
	return Events(ctx, dir, last, func(e *events.Event, leaf events.Leaf) error {
		own.add(leaf)
		of.add(leaf)
		if want, ok := roots[e.Seq]; ok && of.root() != want {
			return fmt.Errorf("the first %d events are not those of the backup of that many: %w", e.Seq, ErrDamaged)
		}
		if signed != nil && e.Seq == uint64(signed.N) && own.root() != base64.StdEncoding.EncodeToString(signed.Hash[:]) {
			return fmt.Errorf("the first %d events are not those that were signed: %w", e.Seq, ErrDamaged)
		}
		if e.Seq%1000 == 0 || e.Seq == last.Events {
			progress(int64(e.Seq), int64(last.Events), "events")
		}
		return nil
	})
}

func verifyBlob(ctx context.Context, path string, b listed) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("blob %s: %w: %w", b.Digest, ErrDamaged, err)
	}
	defer f.Close()
	verifier := b.Digest.Verifier()
	n, err := io.Copy(verifier, untilDone{ctx, f})
	if ctx.Err() != nil {
		return err
	}
	if err != nil || n != b.Size || !verifier.Verified() {
		return fmt.Errorf("blob %s does not have its digest: %w", b.Digest, ErrDamaged)
	}
	return nil
}
