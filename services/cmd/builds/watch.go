package builds

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildcontext"
)

const (
	// quietFor is how long nothing has to change before the directory is built again:
	// editors and generators write several files.
	quietFor = 300 * time.Millisecond
	// changesFor is how long changes are waited out when they do not end.
	changesFor = 5 * time.Second
	// maxFollowed is how many builds wait to be printed; further changes wait for that.
	maxFollowed = 10
)

// watch builds the directory, and again whenever it has changed, until the command is
// interrupted. A build that still waits is cancelled for the next one; one that runs ends.
func (d *directory) watch() error {
	ctx := d.api.Session.Context
	w, err := newWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.add(ctx, d); err != nil { // before it is read: nothing is missed
		return err
	}
	latest, err := d.build()
	if err != nil {
		return err
	}
	var printing sync.WaitGroup
	builds := make(chan apitypes.Build, maxFollowed)
	printing.Go(func() { d.print(builds) })
	defer func() {
		close(builds)
		printing.Wait()
	}()
	builds <- latest
	go w.collect(ctx)
	for settled(ctx, w.changed) {
		var next apitypes.Build
		changed, err := false, w.add(ctx, d)
		if err == nil {
			next, changed, err = d.again(latest)
		}
		if err != nil && ctx.Err() == nil {
			d.say("error: %v", err)
		}
		if changed {
			latest = next
			select {
			case builds <- latest:
			case <-ctx.Done():
				d.say("%v", d.cancel(latest))
			}
		}
	}
	return nil
}

func (d *directory) say(format string, args ...any) {
	fmt.Fprintf(d.api.Session.Err, format+"\n", args...)
}

// print follows one build after the other.
func (d *directory) print(builds <-chan apitypes.Build) {
	for v := range builds {
		if err := d.follow(v); err != nil {
			d.say("%v", err)
		}
		if d.api.Session.Context.Err() == nil {
			d.say("Waiting for files to change; Ctrl-C ends that.")
		}
	}
}

// again queues a build of the directory if it is not as it was sent last, and cancels the
// one before if that still waits.
func (d *directory) again(before apitypes.Build) (next apitypes.Build, changed bool, err error) {
	file, err := d.pack()
	if err != nil {
		return next, false, err
	}
	defer file.Close()
	if file.digest.String() == d.ask.Digest {
		return next, false, nil
	}
	if err := d.send(file); err != nil {
		return next, false, err
	}
	if now, err := console.Get[apitypes.BuildDetails](d.api, pathOf(before)); err == nil && now.State == "waiting" {
		if err := d.api.Do("POST", pathOf(before)+"/cancel", nil); err == nil {
			d.say("Cancelled the build %s, which waited: files have changed again.", before.Short())
		}
	}
	next, err = d.queue(file.digest)
	return next, err == nil, err
}

// A watcher tells when something in a directory may have changed.
type watcher struct {
	*fsnotify.Watcher
	changed chan struct{} // has an element when something has

	mu   sync.Mutex
	tree *buildcontext.Tree
}

func newWatcher() (*watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("directories cannot be watched: %w", err)
	}
	return &watcher{Watcher: w, changed: make(chan struct{}, 1)}, nil
}

// add watches every directory that is sent. Watching one again does nothing.
func (w *watcher) add(ctx context.Context, d *directory) error {
	tree, err := buildcontext.Open(d.path, d.ask.Dockerfile)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.tree = tree
	w.mu.Unlock()
	dirs, err := tree.Dirs(ctx)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		switch err := w.Add(dir); {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE):
			return fmt.Errorf("%s has more directories than can be watched: raise fs.inotify.max_user_watches, or %s", d.path, leaveOut)
		case errors.Is(err, syscall.ENOENT): // it went meanwhile
		case err != nil:
			return fmt.Errorf("%s cannot be watched: %w", dir, err)
		}
	}
	return nil
}

// collect takes note of changes until the watcher is closed. When there were more than the
// system could tell, something has changed.
func (w *watcher) collect(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			w.mu.Lock()
			out := w.tree.Ignored(w.tree.Name(e.Name))
			w.mu.Unlock()
			if out {
				continue
			}
		case _, ok := <-w.Errors:
			if !ok {
				return
			}
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// settled waits for a change, and until there was none for a while; false when ctx ends.
func settled(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	}
	end := time.After(changesFor)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end:
			return true
		case <-time.After(quietFor):
			return true
		case <-changed:
		}
	}
}
