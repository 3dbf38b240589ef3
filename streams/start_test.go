package streams_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// Five nodes that start at the same moment on a fresh cluster open one log and
// one bucket of secrets, whichever of them makes what.
func TestNodesStartAtOnce(t *testing.T) {
	rounds := 10
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		rounds = 1
	case "long":
		rounds = 50
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), startAtOnce)
	}
}

func startAtOnce(t *testing.T) {
	t.Parallel() // a round mostly waits for elections
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	urls, key := streamtest.Cluster(t), filepath.Join(t.TempDir(), "secrets.key")
	var wg sync.WaitGroup
	generations, errs := make([]string, 5), make([]error, 5)
	for k := range errs {
		dir := t.TempDir()
		wg.Go(func() {
			l, err := streams.Open(ctx, streams.Config{Dir: dir, URL: urls, MaxBytes: 1 << 30, Logger: quiet("").Logger})
			if err != nil {
				errs[k] = err
				return
			}
			defer l.Close(context.Background())
			generations[k] = l.Generation()
			bucket, err := streams.OpenSecrets(ctx, l, key)
			if err == nil {
				err = bucket.Put(ctx, fmt.Sprint("node-", k), []byte("secret"))
			}
			errs[k] = err
		})
	}
	wg.Wait()
	for k, err := range errs {
		if err != nil || generations[k] != generations[0] || generations[k] == "" {
			t.Errorf("node %d has generation %q of %q, %v", k, generations[k], generations[0], err)
		}
	}
}
