package agent

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

const (
	// maxLog bounds the end of a log that is reported, in bytes, and readLog what is read
	// for it.
	maxLog  = 4 << 10
	readLog = 256 << 10
	tail    = "200" // lines
)

// inspect is what is seen of a container; nil when it is gone. was is what was seen of it
// before: the log of a failure is read once.
func (a *Agent) inspect(ctx context.Context, f found, was *hosting.SeenContainer, mask *redact.Set) (*hosting.SeenContainer, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	r, err := a.Engine.ContainerInspect(ctx, f.id, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := r.Container
	c := &hosting.SeenContainer{ID: short(in.ID), Service: f.service, Index: f.index, Restarts: in.RestartCount}
	if in.State == nil {
		return c, nil
	}
	c.State, c.ExitCode = string(in.State.Status), in.State.ExitCode
	c.Started, _ = time.Parse(time.RFC3339Nano, in.State.StartedAt)
	if c.Started.Year() < 2000 {
		c.Started = time.Time{}
	}
	if h := in.State.Health; h != nil && h.Status != container.NoHealthcheck {
		c.Health = string(h.Status)
		if c.Health == string(container.Unhealthy) && len(h.Log) > 0 {
			c.HealthLog = ending(mask.String(h.Log[len(h.Log)-1].Output))
		}
	}
	failed := c.ExitCode != 0 || c.Restarts > 0 || c.Health == string(container.Unhealthy)
	switch {
	case !failed:
	case in.State.Error != "" && c.Started.IsZero():
		c.Log = ending(mask.String(in.State.Error))
	case was != nil && was.ID == c.ID && was.Log != "" && was.Restarts == c.Restarts && was.State == c.State && was.Health == c.Health:
		c.Log = was.Log
	default:
		c.Log = a.logOf(ctx, in.ID, mask)
	}
	return c, nil
}

// logOf is the end of what a container wrote.
func (a *Agent) logOf(ctx context.Context, id string, mask *redact.Set) string {
	stream, err := a.Engine.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: tail})
	if err != nil {
		return "its log cannot be read: " + shortened(err.Error(), maxError)
	}
	defer stream.Close()
	var text bytes.Buffer
	// What cannot be taken apart any more is of a log that is longer than what is read.
	stdcopy.StdCopy(&text, &text, io.LimitReader(stream, readLog))
	return ending(mask.String(text.String()))
}

// ending is the end of a text, from the beginning of a line on if that can be.
func ending(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxLog {
		return text
	}
	text = text[len(text)-maxLog:]
	if _, rest, ok := strings.Cut(text, "\n"); ok && rest != "" {
		text = rest
	}
	return strings.ToValidUTF8(text, "")
}

// short is an id as people read it.
func short(id string) string { return id[:min(len(id), 12)] }
