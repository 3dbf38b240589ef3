package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/builder/fetch"
	"hubledger/services/internal/buildrule"
	"hubledger/services/sources"
)

// lookLimits bound a look at a commit. Most git hosts leave out the files; of one that
// does not they may have as many bytes as for a build.
var lookLimits = fetch.Limits{Bytes: fetch.DefaultLimits.Bytes, Files: fetch.DefaultLimits.Files, Memory: fetch.DefaultLimits.Memory, Time: 3 * time.Minute}

// looker is how commits are looked at before the rules decide, nil when this node
// cannot fetch.
func (n *Node) looker(git *sources.Sources) func(ctx context.Context, id string, p *builds.DuePush, file bool) (buildrule.Look, error) {
	if !n.Fetches || n.log.ReadOnly() != nil {
		return nil
	}
	read := builds.Reader{DB: n.models.Of(&builds.Projection)}
	dir, err := filepath.Abs(filepath.Join(n.Data, "builds", "looks")) // cages have another root
	if err != nil {
		return nil
	}
	fetcher := &fetch.Fetcher{Guard: n.Egress, Dir: dir, Logger: n.Logger}
	swept := sync.OnceFunc(func() {
		if err := fetcher.Sweep(); err != nil {
			n.Logger.Warn("something of an earlier look at a commit is left on this machine", "error", err)
		}
	})
	return func(ctx context.Context, id string, p *builds.DuePush, file bool) (seen buildrule.Look, err error) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return seen, err
		}
		swept()
		of, err := read.SourceByID(ctx, p.Source)
		if err != nil {
			return seen, fmt.Errorf("the git source of the rules: %w", err)
		}
		from, err := sourceAt(ctx, git, of, p.Commit, p.Ref)
		if err != nil {
			return seen, err
		}
		name := ""
		if file {
			name = buildrule.FileName
		}
		found, err := fetcher.Look(ctx, id, from, p.Previous, name, buildrule.MaxFileBytes, lookLimits)
		return buildrule.Look(found), err
	}
}
