package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// tailEvents is how many of the last events every start verifies.
const tailEvents = 20_000

// preflight reads the stream's files before the server does. After an orderly
// stop it reads the blocks of the last events, otherwise all, as the server
// will have to. It returns their size in bytes. The error is a *GuardError when
// the files are damaged or less than they were.
func preflight(ctx context.Context, c Config, g Generation) (size int64, err error) {
	// A server would apply loosened limits as soon as it starts. A description
	// that cannot be read is left to it: it does not touch that stream then.
	if config, err := storedConfig(c); err == nil && config.Metadata[metaGeneration] == g.ID {
		if diff := differences(definition(g.resized(config.MaxBytes), c.Replicas), config); len(diff) > 0 {
			return 0, configError(diff)
		}
	}
	blocks, err := listBlocks(c.storeDir())
	if err != nil {
		return 0, err
	}
	sealed := readSeal(c.Dir)
	if sealed.Generation != g.ID {
		sealed = seal{}
	}
	now, err := sealed.filesNow(c.storeDir(), blocks)
	if err != nil {
		return 0, err
	}
	todo := blocks
	if sealed.Index != "" && sealed.LastSeq > 0 && now == sealed {
		if todo, err = tailBlocks(blocks, sealed.LastSeq); err != nil {
			return 0, err
		}
	}
	last, err := verifyBlocks(ctx, c, todo, len(todo) == len(blocks))
	if err != nil {
		return 0, err
	}
	if last < sealed.LastSeq {
		return 0, guardError(ReasonBehind, "the log ended at event %d when it was stopped, now at %d", sealed.LastSeq, last)
	}
	return now.Bytes, nil
}

// tailBlocks are the last blocks that hold at least tailEvents events. It looks at how
// every block begins, which shows a block that is missing or empty.
func tailBlocks(blocks []block, last uint64) ([]block, error) {
	from, before := 0, uint64(0)
	for i, b := range blocks {
		first, err := b.firstSeq()
		if err != nil {
			return nil, err
		}
		if b.size == 0 && i == len(blocks)-1 {
			break // made for the next event
		}
		if i == 0 && first != 1 || first <= before {
			return nil, guardError(ReasonDamaged, "%s begins with event %d, the block before it with %d", b.path, first, before)
		}
		if first+tailEvents <= last {
			from = i
		}
		before = first
	}
	return blocks[from:], nil
}

// verifyBlocks reads blocks and checks that they hold unbroken records of
// consecutive sequences, from 1 on if they are whole. It returns the last.
func verifyBlocks(ctx context.Context, c Config, blocks []block, whole bool) (last uint64, err error) {
	var total, done int64
	for _, b := range blocks {
		total += b.size
	}
	var told time.Time
	var buf []byte
	for i, b := range blocks {
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		if whole && time.Since(told) > time.Second {
			told = time.Now()
			c.Progress("checking the log", done, total)
		}
		if buf, err = b.load(buf); err != nil {
			return 0, err
		}
		end, err := b.walk(buf, func(r record) error {
			if (whole || last > 0) && r.seq != last+1 {
				return guardError(ReasonDamaged, "%s holds event %d where %d is due", b.path, r.seq, last+1)
			}
			last = r.seq
			return nil
		})
		var bad *badRecord
		switch {
		case err == nil:
		case !errors.As(err, &bad):
			return 0, err
		case i < len(blocks)-1 || !b.torn(buf[end:]):
			return 0, guardError(ReasonDamaged, "%v, after event %d", bad, last)
		default:
			c.Logger.Warn("the last write to the log was cut off before it was acknowledged",
				"file", b.path, "after", last, "bytes", len(buf)-end)
		}
		done += b.size
	}
	return last, nil
}

// load reads a block, into buf if it fits.
func (b block) load(buf []byte) ([]byte, error) {
	f, err := os.Open(b.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n := int(info.Size())
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("read %s: %w", b.path, err)
	}
	return buf, nil
}

// storedConfig is the stream's configuration as its own files have it.
func storedConfig(c Config) (jetstream.StreamConfig, error) {
	var config jetstream.StreamConfig
	data, err := os.ReadFile(filepath.Join(c.storeDir(), "meta.inf"))
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	return config, err
}
