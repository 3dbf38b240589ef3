package audit

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/witness"
)

// A witness that has not cosigned is asked again after minPause, and then after pauses
// that double up to maxPause; also when there is another checkpoint.
const minPause, maxPause = 5 * time.Second, 10 * time.Minute

var cosignedEvents = prometheus.NewDesc("hubledger_witness_cosigned_events", "Events of the last checkpoint that a witness has cosigned.", []string{"witness"}, nil)

// witnesses has checkpoints cosigned, each witness by itself, so that nothing waits for one
// that is away.
type witnesses struct {
	list  []*witness.Witness
	wakes []chan struct{} // of each, when something was signed

	mu   sync.Mutex
	last map[string]int64 // events, by the name of the witness
}

func newWitnesses(list []*witness.Witness) *witnesses {
	w := &witnesses{list: list, last: map[string]int64{}}
	for range list {
		w.wakes = append(w.wakes, make(chan struct{}, 1))
	}
	return w
}

// wake has every witness asked about the last checkpoint.
func (w *witnesses) wake() {
	for _, c := range w.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Describe is of prometheus.Collector.
func (w *witnesses) Describe(to chan<- *prometheus.Desc) { to <- cosignedEvents }

// Collect is of prometheus.Collector.
func (w *witnesses) Collect(to chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, n := range w.last {
		to <- prometheus.MustNewConstMetric(cosignedEvents, prometheus.GaugeValue, float64(n), name)
	}
}

func (w *witnesses) note(name string, n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[name] = n
}

// askWitnesses asks all witnesses until ctx ends.
func (a *Audit) askWitnesses(ctx context.Context) {
	var all sync.WaitGroup
	for k, w := range a.witnesses.list {
		all.Go(func() { a.askWitness(ctx, w, a.witnesses.wakes[k]) })
	}
	all.Wait()
}

func (a *Audit) askWitness(ctx context.Context, w *witness.Witness, wake <-chan struct{}) {
	said, pause := "", minPause
	for {
		err := a.cosign(ctx, w)
		if ctx.Err() != nil {
			return
		}
		var again <-chan time.Time
		if err == nil {
			if said != "" {
				a.Signing.Logger.Info("a witness cosigns checkpoints again", "witness", w.Key.Name())
			}
			said, pause = "", minPause
		} else {
			if text := err.Error(); text != said {
				said = text
				a.Signing.Logger.Error("a witness has not cosigned the checkpoint; it is asked again", "witness", w.Key.Name(), "error", err)
			}
			again = time.After(pause)
			pause = min(2*pause, maxPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-again:
		}
	}
}

// Cosign has the last checkpoint cosigned by each witness that has not, one after the other,
// and returns what went wrong. What the program signs is cosigned without it.
func (a *Audit) Cosign(ctx context.Context) error {
	var problems []error
	for _, w := range a.witnesses.list {
		problems = append(problems, a.cosign(ctx, w))
	}
	return errors.Join(problems...)
}

func (a *Audit) cosign(ctx context.Context, w *witness.Witness) error {
	dir := a.Signing.Dir
	signed, c, err := dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, ok := w.Key.Cosigned(signed); !ok {
		answer, err := w.Cosign(ctx, signed, c, func(old int64) (tlog.TreeProof, error) { return tlog.ProveTree(c.N, old, dir.Hashes(c.Tree)) })
		if err == nil {
			err = a.grower.Cosign(w.Key, c, answer)
		}
		if err != nil {
			return err
		}
	}
	a.witnesses.note(w.Key.Name(), c.N)
	return nil
}

// cosignatures are those of a signed checkpoint, and the keys of the witnesses that have
// cosigned any.
func (a *Audit) cosignatures(signed []byte) ([]checkpoint.Cosignature, []*checkpoint.WitnessKey, error) {
	keys, err := a.Signing.Dir.Witnesses()
	return checkpoint.Cosignatures(signed, keys), keys, err
}
