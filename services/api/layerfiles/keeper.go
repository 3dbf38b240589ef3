package layerfiles

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
)

// Config is what a Keeper works with; Dir, Open and Logger are required.
type Config struct {
	// Dir is where listings are kept; it is made if needed.
	Dir string
	// Open opens a blob. The error wraps fs.ErrNotExist when it is not there.
	Open func(ctx context.Context, d digest.Digest) (content io.ReadCloser, size int64, err error)
	// Room says whether the disk has room for more. Default: always.
	Room   func() bool
	Logger *slog.Logger
	// MaxBytes bounds the listings that are kept. Default 1 GiB.
	MaxBytes int64
	// AtOnce bounds the passes that run at the same time, each of which may take 100 MB or
	// so of memory. Default half of the cores, 1 to 4.
	AtOnce int
	// MaxWaiting bounds the layers that wait, and MaxOf those of one client. Default 2000
	// and 500, more than two images have.
	MaxWaiting, MaxOf int
	// Time bounds one pass. Default 5 minutes.
	Time time.Duration
	// Asked is how long a layer waits after somebody last asked about it: then nobody
	// waits for its pass any more, and it is not begun. Default 1 minute.
	Asked time.Duration
	// Limits bound one pass. Default DefaultLimits.
	Limits Limits
}

// A Keeper has the listings of layers, and makes those that are missing.
type Keeper struct {
	Config
	store func() (*store, error) // opened when it is first needed
	life  context.Context
	end   context.CancelFunc
	work  sync.WaitGroup

	mu      sync.Mutex
	passes  map[digest.Digest]*job // that wait, run or have failed lately
	running int
	began   uint64
	turns   map[string]uint64 // when a client's layer was last begun, of clients with layers that wait
}

// A job is a pass that waits, runs or has failed.
type job struct {
	digest digest.Digest
	of     string // the client that asked first
	asked  time.Time
	number uint64
	state  State
	failed time.Time
	size   int64
	read   atomic.Int64
}

// State is where a pass is.
type State string

// The states of passes.
const (
	Done    State = "done"
	Waiting State = "waiting"
	Running State = "running"
	Failed  State = "failed"  // the hub could not read the blob; it tries again when asked a minute later
	Missing State = "missing" // the hub does not have the blob
)

// Progress is where the pass of a layer is.
type Progress struct {
	State State
	// Read is how many bytes of Size were read of a layer that is running.
	Read, Size int64
}

// New makes a keeper. Nothing is opened and nothing runs before the first Ask. Close it.
func New(c Config) *Keeper {
	c.MaxBytes, c.AtOnce = cmp.Or(c.MaxBytes, 1<<30), cmp.Or(c.AtOnce, max(1, min(4, runtime.GOMAXPROCS(0)/2)))
	c.MaxWaiting, c.MaxOf = cmp.Or(c.MaxWaiting, 2000), cmp.Or(c.MaxOf, 500)
	c.Time, c.Asked, c.Limits = cmp.Or(c.Time, 5*time.Minute), cmp.Or(c.Asked, time.Minute), cmp.Or(c.Limits, DefaultLimits)
	if c.Room == nil {
		c.Room = func() bool { return true }
	}
	k := &Keeper{Config: c, passes: map[digest.Digest]*job{}, turns: map[string]uint64{}}
	k.store = sync.OnceValues(func() (*store, error) { return openStore(c.Dir, c.MaxBytes) })
	k.life, k.end = context.WithCancel(context.Background())
	return k
}

// Close ends passes and waits for them.
func (k *Keeper) Close() {
	k.end()
	k.work.Wait()
}

// Purge removes the listings of blobs that are gone.
func (k *Keeper) Purge(ctx context.Context) error {
	s, err := k.store()
	if err != nil {
		return err
	}
	return s.purge(ctx, func(d digest.Digest) bool {
		content, _, err := k.Open(ctx, d)
		if err == nil {
			content.Close()
		}
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Ask says where the pass of a layer is, and has it begun if it was not: for the client
// with that name, as clients take turns. ErrBusy.
func (k *Keeper) Ask(client string, d digest.Digest) (Progress, error) {
	store, err := k.store()
	if err != nil {
		return Progress{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if j := k.passes[d]; j != nil && (j.failed.IsZero() || now.Sub(j.failed) < time.Minute) {
		j.asked = now
		return Progress{j.state, j.read.Load(), j.size}, nil
	}
	if store.has(d) {
		return Progress{State: Done}, nil
	}
	waiting, of := 0, 0
	for other, j := range k.passes {
		switch {
		case !j.failed.IsZero() && now.Sub(j.failed) >= time.Minute, j.state == Waiting && now.Sub(j.asked) > k.Asked:
			delete(k.passes, other)
		case j.of == client:
			waiting, of = waiting+1, of+1
		default:
			waiting++
		}
	}
	if waiting >= k.MaxWaiting || of >= k.MaxOf {
		return Progress{}, ErrBusy
	}
	k.began++
	j := &job{digest: d, of: client, asked: now, number: k.began, state: Waiting}
	k.passes[d] = j
	if k.running < k.AtOnce && k.life.Err() == nil {
		k.running++
		k.work.Go(k.run)
	}
	return Progress{State: j.state}, nil
}

// run does passes until none waits.
func (k *Keeper) run() {
	for {
		j := k.next()
		if j == nil {
			return
		}
		state := k.pass(j)
		k.mu.Lock()
		if state == Done {
			delete(k.passes, j.digest)
		} else {
			j.state, j.failed = state, time.Now()
		}
		k.mu.Unlock()
	}
}

// next takes the layer whose turn it is: clients take turns, and the layers of one
// come in the order in which it asked. nil when none waits; the caller then ends.
func (k *Keeper) next() *job {
	k.mu.Lock()
	defer k.mu.Unlock()
	var next *job
	now, clients := time.Now(), map[string]uint64{}
	for d, j := range k.passes {
		switch {
		case j.state != Waiting:
		case now.Sub(j.asked) > k.Asked:
			delete(k.passes, d)
		default:
			turn := k.turns[j.of]
			clients[j.of] = turn
			if next == nil || cmp.Or(cmp.Compare(turn, k.turns[next.of]), cmp.Compare(j.number, next.number)) < 0 {
				next = j
			}
		}
	}
	k.turns = clients
	if next == nil || k.life.Err() != nil {
		k.running--
		return nil
	}
	k.began++
	k.turns[next.of] = k.began
	next.state = Running
	return next
}

// pass looks through one layer. It goes on when nobody waits for it any more: what it
// finds is kept.
func (k *Keeper) pass(j *job) State {
	ctx, cancel := context.WithTimeoutCause(k.life, k.Time, errTooLong)
	defer cancel()
	content, size, err := k.Open(ctx, j.digest)
	if errors.Is(err, fs.ErrNotExist) {
		return Missing
	}
	if err == nil {
		defer content.Close()
		k.mu.Lock()
		j.size = size
		k.mu.Unlock()
		var l *Listing
		if l, err = Index(ctx, counting{content, &j.read}, k.Limits); err == nil {
			err = k.keep(j.digest, l)
		}
	}
	if err != nil {
		if k.life.Err() == nil {
			k.Logger.Warn("which files a layer has could not be found out", "digest", j.digest, "error", err)
		}
		return Failed
	}
	return Done
}

func (k *Keeper) keep(d digest.Digest, l *Listing) error {
	if !k.Room() {
		return errors.New("the disk has less free space than its reserve")
	}
	s, err := k.store()
	if err != nil {
		return err
	}
	return s.put(d, l)
}

type counting struct {
	r io.Reader
	n *atomic.Int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
