package secrets

import (
	"path/filepath"
	"sync"
	"testing"
)

// Nodes that share a key file and start at the same moment all get the key that
// stays in it.
func TestOneKeyOfSeveralNodes(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "secrets.key")
		var keys [8]*box
		var work sync.WaitGroup
		begin := make(chan struct{})
		for k := range keys {
			work.Go(func() {
				<-begin
				var err error
				if keys[k], err = makeKey(path); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		work.Wait()
		kept, err := readKey(path)
		if err != nil {
			t.Fatal(err)
		}
		for k, b := range keys {
			if b != nil && b.identity.String() != kept.identity.String() {
				t.Fatalf("node %d has a key that is not in the file", k)
			}
		}
	}
}
