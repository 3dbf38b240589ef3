package agent

import (
	"context"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"hubledger/services/internal/hosting"
)

const (
	callWithin  = 30 * time.Second // a call of the engine that does not wait for anything
	engineEvery = 5 * time.Second
)

// watchEngine looks at the engine as long as ctx lasts.
func (a *Agent) watchEngine(ctx context.Context) {
	for ctx.Err() == nil {
		was := a.engineNow()
		is := a.lookAtEngine(ctx)
		if ctx.Err() != nil {
			return
		}
		a.mu.Lock()
		a.engine = is
		a.mu.Unlock()
		if was.Version != is.Version || was.Error != is.Error {
			if is.Error != "" {
				a.Logger.Warn("the container engine does not answer; it is tried again", "error", is.Error)
			} else {
				a.Logger.Info("the container engine answers", "version", is.Version, "api", is.API)
			}
			a.tell()
		}
		pause(ctx, engineEvery)
	}
}

func (a *Agent) engineNow() hosting.Engine {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.engine
}

func (a *Agent) lookAtEngine(ctx context.Context) (e hosting.Engine) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	info, err := a.Engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return hosting.Engine{Error: shortened(err.Error(), maxError)}
	}
	e.Version, e.API = info.Info.ServerVersion, a.Engine.ClientVersion()
	if strings.HasPrefix(a.Engine.DaemonHost(), "unix://") {
		a.mu.Lock()
		a.root = info.Info.DockerRootDir
		a.mu.Unlock()
		e.Free = freeOf(info.Info.DockerRootDir)
	}
	return e
}

// freeOf is how many bytes a directory's disk has left; 0: not known.
func freeOf(dir string) int64 {
	var s unix.Statfs_t
	if dir == "" || unix.Statfs(dir, &s) != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
