package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hubledger/projections"
)

type projectionsSwitchCmd struct {
	Name string `arg:"" help:"Projection, such as images."`
	Back bool   `help:"Make the build live again that was so before the last switch."`
}

func (c *projectionsSwitchCmd) Run(s *session) error {
	q := url.Values{}
	if c.Back {
		q.Set("back", "1")
	}
	return items(s, "POST", "/projections/"+url.PathEscape(c.Name)+"/switch", q, nil, func(p projectionItem) error {
		if s.json {
			return nil
		}
		_, err := fmt.Fprintf(s.out, "Projection %s now answers from the other build, at event %d. The former one is kept.\n", p.Name, p.Position)
		return err
	})
}

func (h *hub) adminSwitch(ctx context.Context, r *http.Request, a *answer) error {
	v := h.view(r.PathValue("name"))
	if v == nil {
		return unknownProjection(r.PathValue("name"))
	}
	if err := h.log.ReadOnly(); err != nil {
		return err
	}
	move := h.place.Switch
	if r.URL.Query().Get("back") != "" {
		move = h.place.Back
	}
	// Once begun it is finished, whether the asker is still there or not.
	if err := v.switchTo(context.WithoutCancel(ctx), move); err != nil {
		return err
	}
	return a.item(projectionItem{Name: v.projection.Name, Version: v.projection.Version, Position: v.Position()})
}

// switchTo stops the view, lets move exchange its builds, and goes on with what
// is live then. Whoever asks or waits meanwhile gets the answer of the new build.
func (v *view) switchTo(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	last, err := v.hub.log.LastSeq(ctx)
	if err != nil {
		return err
	}
	if err := v.exchange(ctx, move); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := v.Wait(ctx, last); err != nil && !errors.Is(err, projections.ErrParked) {
		return fmt.Errorf("the new build is live, but behind the log: %w", err)
	}
	return nil
}

func (v *view) exchange(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	v.switching.Lock()
	defer v.switching.Unlock()
	v.current.stop()
	<-v.current.done
	if err := v.close(); err != nil {
		v.hub.Logger.Warn("close a build", "projection", v.projection.Name, "error", err)
	}
	err := v.moveUnused(ctx, move)
	if oerr := v.open(ctx); oerr != nil {
		return errors.Join(err, fmt.Errorf("projection %s cannot be opened any more, restart the hub: %w", v.projection.Name, oerr))
	}
	v.start(v.hub.ending)
	if v.onCommit != nil {
		v.onCommit(projections.Commit{}, false) // nothing that was cached is known to hold
	}
	return err
}

// moveUnused tries for a while: answers that are being read keep a build open.
func (v *view) moveUnused(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		err := move(ctx, v.projection)
		if !errors.Is(err, projections.ErrInUse) || wait > time.Second {
			return err
		}
		time.Sleep(wait)
	}
}

func unknownProjection(name string) error {
	names := ""
	for _, p := range allProjections {
		names += " " + p.Name
	}
	return fmt.Errorf("there is no projection %q; there are:%s", name, names)
}
