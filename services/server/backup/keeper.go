package backup

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/services/internal/service"
)

// A Keeper makes backups regularly.
type Keeper struct {
	Dir    string        // of the backup; "": none is made
	Every  time.Duration // between two of them
	Keep   int           // see Config
	Config func(context.Context) (Config, error)
	Logger *slog.Logger

	tried time.Time    // when the last one began; of the job alone
	last  atomic.Int64 // when the last complete one ended, in seconds since 1970; 0: none is known
}

// Service is what a Keeper hands over to the program.
func (k *Keeper) Service() service.Service {
	s := service.Service{Name: "backup", Sentences: Sentences}
	if k.Dir == "" {
		return s
	}
	if old, err := ReadSummary(k.Dir); err == nil {
		k.last.Store(old.Time.Unix())
	}
	// A look is cheap, and a hub that is often started again is backed up all the same.
	s.Jobs = []service.Job{{Name: "back up", Every: min(k.Every, time.Minute), Run: k.backUpIfDue}}
	s.Metrics = []prometheus.Collector{prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "hubledger_backup_last_success_timestamp_seconds",
		Help: "When the last complete backup ended; 0 when there is none."}, func() float64 { return float64(k.last.Load()) })}
	return s
}

func (k *Keeper) backUpIfDue(ctx context.Context) error {
	if time.Since(time.Unix(k.last.Load(), 0)) < k.Every || time.Since(k.tried) < min(k.Every, time.Hour) {
		return nil
	}
	k.tried = time.Now()
	return k.backUp(ctx)
}

func (k *Keeper) backUp(ctx context.Context) error {
	c, err := k.Config(ctx)
	if err != nil {
		return err
	}
	c.Keep = k.Keep
	s, err := Run(ctx, c, k.Dir)
	if err != nil {
		return fmt.Errorf("back up to %s: %w", k.Dir, err)
	}
	k.last.Store(s.Time.Unix())
	k.Logger.Info("backed up", "to", k.Dir, "events", s.Events, "new events", s.Added.Events, "new blobs", s.Added.Blobs, "bytes", s.Added.BlobBytes)
	if n := len(s.Damaged); n > 0 {
		k.Logger.Error("the backup lacks blobs that are damaged in the hub; `hubledger blobs verify` says which images need them", "count", n, "first", s.Damaged[0])
	}
	return nil
}
