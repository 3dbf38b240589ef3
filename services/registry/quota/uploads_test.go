package quota

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// Leases and uploads stop counting when they end, and never count twice.
func TestWhatEndsStopsCounting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUsage(images.Reader{}, nil)
		n := &namespace{Namespace: Namespace{"id", "alice"}, filled: true, limit: Amount{Bytes: 100},
			held: map[uint64]struct{}{}, promised: map[uint64]*promise{}, uploads: map[string]upload{}}
		u.namespaces["id"], u.byName["alice"] = n, n
		uses := func(want int64) {
			t.Helper()
			u.expire(n)
			if got := n.used().Bytes; got != want {
				t.Fatalf("%d bytes are used, want %d", got, want)
			}
		}
		layer := digest.FromString("layer")
		leased := func(term time.Duration) Leased { return Leased{layer, 40, time.Now().Add(term)} }
		grow := func(id string, size int64) error { return u.Grow(context.Background(), "alice", id, size, "") }
		if err := errors.Join(grow("1", 30), grow("1", 40), grow("2", 60)); err != nil {
			t.Fatal(err)
		}
		uses(100)
		var exceeded *ExceededError
		if err := grow("2", 61); !errors.As(err, &exceeded) || exceeded.Pending != 100 {
			t.Fatalf("more than there is room for: %v", err)
		}
		uses(100)
		u.Lease("alice", "1", leased(time.Hour))
		u.Lease("alice", "", leased(2*time.Hour)) // another repository's
		u.Lease("alice", "", leased(time.Hour))
		uses(100)
		u.Ended("alice", "2")
		u.Ended("alice", "2")
		uses(40)
		// A push takes the blob over from its lease, and lets it go without being refused.
		sum, _ := images.DigestBytes(layer)
		items := []item{u.blob(sum, 40)}
		if more := n.more(items); more != (Amount{}) {
			t.Errorf("a push of what is leased adds %+v", more)
		}
		n.promise(items)
		u.release(n, items)
		uses(40)
		time.Sleep(time.Hour + time.Minute)
		uses(40)
		time.Sleep(time.Hour)
		uses(0)
		u.Lease("alice", "", leased(time.Hour))
		u.add(n, items[0])
		u.Lease("alice", "", leased(time.Hour))
		uses(40)
		if len(n.promised) > 0 {
			t.Error("what is held is promised")
		}
		if err := grow("3", 60); err != nil {
			t.Fatal(err)
		}
		time.Sleep(forgottenAfter)
		uses(100)
		time.Sleep(time.Minute)
		uses(40)
	})
}

// An upload into a namespace without a quota does not make the hub read all that is
// in it, although somebody asked for what it holds.
func TestUploadWithoutQuotaReadsNothing(t *testing.T) {
	u := NewUsage(images.Reader{}, nil) // which cannot be read
	n := &namespace{Namespace: Namespace{"id", "alice"}, held: map[uint64]struct{}{}, promised: map[uint64]*promise{}, uploads: map[string]upload{}}
	u.namespaces["id"], u.byName["alice"] = n, n
	if err := u.Grow(t.Context(), "alice", "1", 30, digest.FromString("layer")); err != nil {
		t.Fatal(err)
	}
	if n.open != 30 {
		t.Errorf("%d bytes of uploads count, want 30", n.open)
	}
}
