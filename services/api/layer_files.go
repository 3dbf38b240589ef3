package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/api/layerfiles"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type listFilesIn struct {
	openapi.RepositoryPath
	openapi.Paging
	Digest string `path:"digest" maxLength:"150" doc:"Of the layer: sha256:… or sha512:…"`
	Path   string `query:"path" maxLength:"17000" doc:"Of the directory; empty for the layer's root"`
}

type fileChangesIn struct {
	openapi.RepositoryPath
	openapi.Paging
	Digest string `path:"digest" maxLength:"150" doc:"Of the image's manifest: sha256:… or sha512:…"`
	Since  string `query:"since" maxLength:"150" doc:"Digest of the manifest of the image that it is compared with; without it all files are new"`
}

func (s *API) registerFiles() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/layers/{digest}/files", ID: "list-layer-files", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.List,
		Summary: "List the files of a layer", About: "Lists one directory at a time. The first request makes the hub index the layer in the background; while state is waiting or running, ask again. The index is kept."}, s.listFiles)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/manifests/{digest}/file-changes", ID: "list-file-changes", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.Heavy,
		Summary: "List the files that differ between two images", About: "Compares the files as containers see them, all layers together. Makes the hub index layers that have no index yet; while state is waiting, ask again."}, s.compareFiles)
}

// dropFilesEvery is the time between two looks for layers that are gone.
const dropFilesEvery = 10 * time.Minute

// clientOf is as whom a request waits for layers to be looked through. All who are not
// signed in share their turn.
func clientOf(c *endpoint.Call) string { return string(c.Principal.Kind) + " " + c.Principal.ID }

func (s *API) askFiles(c *endpoint.Call, d digest.Digest) (layerfiles.Progress, error) {
	p, err := s.LayerFiles.Ask(clientOf(c), d)
	if errors.Is(err, layerfiles.ErrBusy) {
		return p, endpoint.Fail(http.StatusTooManyRequests, err.Error()).RetryAfter(30 * time.Second)
	}
	return p, err
}

func (s *API) listFiles(ctx context.Context, c *endpoint.Call, in *listFilesIn) (*openapi.Answer[apitypes.LayerFiles], error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	from, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	held, err := s.Images.HoldsBlob(ctx, c.Repository.ID, d)
	if err == nil && !held {
		err = endpoint.Fail(http.StatusNotFound, "this repository has no such layer").Because(images.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	dir := strings.Trim(path.Clean("/"+in.Path), "/")
	v := apitypes.LayerFiles{Digest: in.Digest, Path: dir, Items: []apitypes.LayerFile{}}
	p, err := s.askFiles(c, d)
	if err != nil {
		return nil, err
	}
	v.State, v.Read, v.Size = string(p.State), p.Read, p.Size
	if p.State != layerfiles.Done {
		return openapi.Show(v), nil
	}
	page, err := s.LayerFiles.List(d, dir, int(from), in.Limit)
	switch {
	case errors.Is(err, fs.ErrNotExist): // it has just gone
		v.State = string(layerfiles.Waiting)
		return openapi.Show(v), nil
	case errors.Is(err, layerfiles.ErrNoDirectory):
		return nil, endpoint.Fail(http.StatusNotFound, err.Error()).Because(err)
	case err != nil:
		return nil, err
	}
	v.Kind, v.About, v.Entries, v.Bytes, v.Truncated, v.Total = page.Kind, page.About, page.Summary.Entries, page.Bytes, page.Truncated, page.In
	of := shownFile(page.Directory)
	v.Directory = &of
	for _, e := range page.Entries {
		v.Items = append(v.Items, shownFile(e))
	}
	if end := int(from) + len(page.Entries); end < page.In && len(page.Entries) > 0 {
		v.Next, _ = openapi.Next(c, openapi.CursorAtSequence(uint64(end)))
	}
	return openapi.Show(v), nil
}

func shownFile(e layerfiles.Entry) apitypes.LayerFile {
	f := apitypes.LayerFile{Name: e.Name, Type: string(e.Type), Mode: fmt.Sprintf("%04o", e.Mode), UID: e.UID, GID: e.GID, Size: e.Size, Files: e.Files, Link: e.Link, Opaque: e.Opaque, Implied: e.Implied}
	if e.Type == layerfiles.File {
		f.SHA256 = hex.EncodeToString(e.Sum[:])
	}
	return f
}

func (s *API) compareFiles(ctx context.Context, c *endpoint.Call, in *fileChangesIn) (*openapi.Answer[apitypes.FileChanges], error) {
	from, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	v := apitypes.FileChanges{From: in.Since, To: in.Digest, State: string(layerfiles.Done), Incomplete: []string{}, Items: []apitypes.FileChange{}}
	var of [2][]digest.Digest
	for k, side := range []struct{ field, digest string }{{"query.since", in.Since}, {"path.digest", in.Digest}} {
		if side.digest == "" {
			continue
		}
		var unknown []digest.Digest
		if of[k], unknown, err = s.layersOf(ctx, c, side.field, side.digest); err != nil {
			return nil, err
		}
		for _, d := range unknown {
			if !slices.Contains(v.Incomplete, d.String()) {
				v.Incomplete = append(v.Incomplete, d.String())
			}
		}
	}
	all := slices.Concat(of[0], of[1])
	slices.Sort(all)
	for _, d := range slices.Compact(all) {
		p, err := s.askFiles(c, d)
		if err != nil {
			return nil, err
		}
		v.Layers++
		switch p.State {
		case layerfiles.Done:
			v.Ready++
		case layerfiles.Failed, layerfiles.Missing:
			v.Failed = d.String()
		}
	}
	switch {
	case v.Failed != "":
		v.State = string(layerfiles.Failed)
		return openapi.Show(v), nil
	case v.Ready < v.Layers:
		v.State = string(layerfiles.Waiting)
		return openapi.Show(v), nil
	}
	found, err := s.LayerFiles.Compare(of[0], of[1], budget.Of(ctx).Hold)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.State = string(layerfiles.Waiting)
		return openapi.Show(v), nil
	case errors.Is(err, layerfiles.ErrTooMany):
		return nil, endpoint.Fail(http.StatusUnprocessableEntity, fmt.Sprintf("one of the images has more than %d files, which are not compared: look at the files of its layers", layerfiles.MaxCompared)).Because(err)
	case err != nil:
		return nil, err
	}
	v.Added, v.Removed, v.Changed = found.Added, found.Removed, found.Changed
	v.AddedBytes, v.RemovedBytes, v.ChangedBytes = found.AddedBytes, found.RemovedBytes, found.BytesOfChanged
	for _, d := range found.Incomplete {
		v.Incomplete = append(v.Incomplete, d.String())
	}
	rest := found.List[min(uint64(len(found.List)), from):]
	if len(rest) > in.Limit {
		rest = rest[:in.Limit]
		v.Next, _ = openapi.Next(c, openapi.CursorAtSequence(from+uint64(in.Limit)))
	}
	for _, d := range rest {
		v.Items = append(v.Items, apitypes.FileChange{Path: d.Path, From: shownSide(d.A), To: shownSide(d.B)})
	}
	return openapi.Show(v), nil
}

func shownSide(e *layerfiles.Entry) *apitypes.LayerFile {
	if e == nil {
		return nil
	}
	f := shownFile(*e)
	return &f
}

// layersOf are the layers of an image of the call's repository, which a field of the
// request names. A manifest may name layers that its repository does not hold, such as those
// of others (image-spec, "Non-Distributable Layers"): where the hub has one of those, it is
// not the caller's to read. They are unknown.
func (s *API) layersOf(ctx context.Context, c *endpoint.Call, field, text string) (layers, unknown []digest.Digest, err error) {
	d, err := digestAt(field, text)
	if err != nil {
		return nil, nil, err
	}
	m, err := s.Images.ManifestDetail(ctx, c.Repository.ID, d)
	switch {
	case err != nil:
		return nil, nil, err
	case len(m.Parsed.Manifests) > 0:
		return nil, nil, endpoint.Invalid(field, "this is an index: name its image for one platform")
	case len(m.Parsed.Layers) > maxLayers:
		return nil, nil, endpoint.Invalid(field, fmt.Sprintf("this image has more than %d layers", maxLayers))
	}
	for _, l := range m.Parsed.Layers {
		held, err := s.Images.HoldsBlob(ctx, c.Repository.ID, l.Digest)
		switch {
		case err != nil:
			return nil, nil, err
		case held:
			layers = append(layers, l.Digest)
		default:
			unknown = append(unknown, l.Digest)
		}
	}
	return layers, unknown, nil
}
