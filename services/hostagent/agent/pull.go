package agent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dustin/go-humanize"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

const (
	// unpacked is how many times as large as its compressed layers an image is on the disk
	// while it is pulled: the layers, and what is in them.
	unpacked = 3
	// reserve is what a pull leaves free, in bytes.
	reserve = 64 << 20
	// maxManifest bounds a manifest, in bytes.
	maxManifest = 8 << 20
	// stalled is how long a pull may make no progress.
	stalled = 5 * time.Minute
)

// A fatalError will not go away by trying again.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

func isFatal(err error) bool {
	var fatal *fatalError
	return errors.As(err, &fatal)
}

// has says whether the engine has an image.
func (a *Agent) has(ctx context.Context, image string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_, err := a.Engine.ImageInspect(ctx, image)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// splitImage takes REGISTRY/NAME@DIGEST apart.
func splitImage(image string) (repository, digest string, err error) {
	rest, digest, ok := strings.Cut(image, "@")
	_, repository, named := strings.Cut(rest, "/")
	if !ok || !named || repository == "" {
		return "", "", &fatalError{fmt.Errorf("%s is no image with a registry and a digest", image)}
	}
	return repository, digest, nil
}

// prepare gets a token to pull an image of the hub, and sees that there is room for it.
func (a *Agent) prepare(ctx context.Context, image string) (token string, size int64, err error) {
	repository, digest, err := splitImage(image)
	if err != nil {
		return "", 0, err
	}
	ask, cancel := context.WithTimeout(ctx, callWithin)
	token, _, err = a.Hub.Token(ask, repository)
	cancel()
	if err != nil {
		if errors.Is(err, wire.ErrDenied) {
			return "", 0, fmt.Errorf("the hub gives no token to pull %s: %w", repository, err)
		}
		return "", 0, fmt.Errorf("ask the hub for a token to pull %s: %w", repository, err)
	}
	if size, err = a.sizeOf(ctx, repository, digest, token); err != nil {
		return "", 0, fmt.Errorf("look at the image %s: %w", image, err)
	}
	return token, size, a.room(size)
}

// pull pulls an image with a token of its own, and says how far it is. One of another
// registry is pulled without: that registry never gets a token of the hub.
func (a *Agent) pull(ctx context.Context, image string, outside bool, progress func(bytes, total int64)) error {
	var options client.ImagePullOptions
	var size int64
	if !outside {
		token, n, err := a.prepare(ctx, image)
		if err != nil {
			return err
		}
		auth, err := json.Marshal(registry.AuthConfig{RegistryToken: token})
		if err != nil {
			return err
		}
		size, options.RegistryAuth = n, base64.URLEncoding.EncodeToString(auth)
	}
	progress(0, size)
	if err := a.store.pulls(image); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	watch := time.AfterFunc(stalled, func() { end(fmt.Errorf("the pull made no progress for %s", stalled)) })
	defer watch.Stop()
	stream, err := a.Engine.ImagePull(ctx, image, options)
	if err != nil {
		return pullError(err)
	}
	defer stream.Close()
	layers := map[string]int64{}
	for m, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return pullError(cmpCause(ctx, err))
		}
		if m.Error != nil {
			return pullError(m.Error)
		}
		watch.Reset(stalled)
		switch {
		case m.Progress != nil && m.Status == "Downloading":
			layers[m.ID] = m.Progress.Current
		case m.Status == "Download complete" && m.Progress != nil && m.Progress.Total > 0:
			layers[m.ID] = m.Progress.Total
		default:
			continue
		}
		var sum int64
		for _, n := range layers {
			sum += n
		}
		if !outside {
			sum = min(sum, size)
		}
		progress(sum, size)
	}
	return cmpCause(ctx, nil)
}

// cmpCause is why a context has ended, or err.
func cmpCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// pullError says which errors of a pull stay: the image is not there.
func pullError(err error) error {
	text := err.Error()
	if errdefs.IsNotFound(err) || strings.Contains(text, "manifest unknown") || strings.Contains(text, "no matching manifest") {
		return &fatalError{err}
	}
	return err
}

// room refuses what does not fit on the engine's disk.
func (a *Agent) room(size int64) error {
	a.mu.Lock()
	root := a.root
	a.mu.Unlock()
	free := freeOf(root)
	if need := size*unpacked + reserve; free > 0 && free < need {
		return fmt.Errorf("the disk of the container engine has %s free, and the image needs about %s: make room in %s", humanize.IBytes(uint64(free)), humanize.IBytes(uint64(need)), root)
	}
	return nil
}

// sizeOf is how large the layers of an image are, compressed, of this platform.
func (a *Agent) sizeOf(ctx context.Context, repository, digest, token string) (size int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	for range 2 {
		var m struct {
			v1.Manifest
			Manifests []v1.Descriptor `json:"manifests"`
		}
		if err := a.manifest(ctx, repository, digest, token, &m); err != nil {
			return 0, err
		}
		if len(m.Manifests) == 0 {
			for _, l := range m.Layers {
				size += l.Size
			}
			return size, nil
		}
		digest = ""
		for _, d := range m.Manifests {
			if p := d.Platform; p != nil && p.OS == runtime.GOOS && p.Architecture == runtime.GOARCH {
				digest = d.Digest.String()
				break
			}
		}
		if digest == "" {
			return 0, &fatalError{fmt.Errorf("it is not for %s/%s", runtime.GOOS, runtime.GOARCH)}
		}
	}
	return 0, nil
}

// manifest reads one from the hub's registry.
func (a *Agent) manifest(ctx context.Context, repository, digest, token string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL.JoinPath("v2", repository, "manifests", digest).String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", strings.Join([]string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"}, ", "))
	resp, err := a.web.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(io.LimitReader(resp.Body, maxManifest)).Decode(into)
	case http.StatusNotFound:
		return &fatalError{errors.New("the hub does not have it any more")}
	}
	return fmt.Errorf("the hub answers %s", resp.Status)
}

const cleanEvery = time.Minute

// janitor removes images over and over: those of containers that were replaced, too.
func (a *Agent) janitor(ctx context.Context) {
	for pause(ctx, cleanEvery) {
		a.clean(ctx)
	}
}

// clean removes the images that the agent has pulled itself and that no slot needs.
func (a *Agent) clean(ctx context.Context) {
	needed := map[string]bool{}
	for _, t := range a.store.state().Slots {
		for _, s := range t.Services {
			needed[s.Pull] = true
		}
	}
	for _, image := range a.store.pulled() {
		if needed[image] {
			continue
		}
		within, cancel := context.WithTimeout(ctx, callWithin)
		_, err := a.Engine.ImageRemove(within, image, client.ImageRemoveOptions{PruneChildren: true})
		cancel()
		switch {
		case err == nil || errdefs.IsNotFound(err):
			if err := a.store.forgets(image); err != nil {
				a.Logger.Warn("an image that was removed is not forgotten", "image", image, "error", err)
			}
		case errdefs.IsConflict(err): // a container has it, which goes first
		case ctx.Err() == nil:
			a.Logger.Warn("an image that nothing needs is not removed", "image", image, "error", err)
		}
	}
}

// imagesOf are what is seen of the images of a slot before anything is done.
func imagesOf(t *hosting.Slot) (list []hosting.SeenImage) {
	for _, s := range t.Services {
		_, digest, _ := strings.Cut(s.Pull, "@")
		list = append(list, hosting.SeenImage{Service: s.Name, Digest: digest})
	}
	return list
}
