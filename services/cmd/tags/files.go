package tags

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Files is the command that looks into the layers of an image.
type Files struct {
	console.Target
	Ref      string `arg:"" name:"image" help:"Image, such as alice/app:1.0 or alice/app@sha256:…; without a tag, latest."`
	Path     string `arg:"" optional:"" help:"Directory of the layer; without it, its root."`
	Layer    int    `short:"l" help:"Layer whose files to list, from 1, the lowest; without it, the layers are listed." placeholder:"N"`
	Platform string `help:"Which image of an index, such as linux/arm64; default: the first." placeholder:"OS/ARCH"`
}

// Validate is called by kong.
func (c *Files) Validate() error {
	if c.Path != "" && c.Layer == 0 {
		return errors.New("say whose files to list: --layer N; without a path, the layers are listed")
	}
	return nil
}

// Run lists the layers, or one directory of a layer, once the hub has looked through it.
func (c *Files) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	repository, m, err := c.image(a)
	if err != nil {
		return err
	}
	if c.Layer == 0 {
		return c.layers(s, m)
	}
	if c.Layer < 0 || c.Layer > len(m.Layers) {
		return fmt.Errorf("%s has %d layers: there is no layer %d", c.Ref, len(m.Layers), c.Layer)
	}
	path := repository + client.Path("layers", m.Layers[c.Layer-1].Digest, "files")
	q := client.Paged()
	q.Set("path", c.Path)
	if err := c.wait(a, path+"?"+url.Values{"path": {c.Path}}.Encode()); err != nil {
		return err
	}
	return console.List(a, path, q, "The directory is empty.", []string{"MODE", "OWNER", "SIZE", "NAME"}, func(f apitypes.LayerFile) []string {
		return []string{f.Mode, fmt.Sprintf("%d:%d", f.UID, f.GID), console.Size(f.Size), fileName(f)}
	})
}

// fileName is a file's name with what it is, as ls -F and ls -l write it.
func fileName(f apitypes.LayerFile) string {
	switch f.Type {
	case "directory":
		return f.Name + "/"
	case "symlink":
		return f.Name + " -> " + f.Link
	case "hardlink":
		return f.Name + " = " + f.Link
	case "whiteout":
		return f.Name + " (deleted here)"
	case "device":
		return f.Name + " (device)"
	}
	return f.Name
}

// image finds the image, of an index that for one platform. repository is the API's path.
func (c *Files) image(a *console.API) (repository string, m apitypes.Manifest, err error) {
	name, digest, byDigest := strings.Cut(c.Ref, "@")
	if !byDigest {
		tag := "latest"
		if at := strings.LastIndex(name, ":"); at >= 0 {
			name, tag = name[:at], name[at+1:]
		}
		t, err := console.Get[apitypes.Tag](a, client.RepositoryPath(name)+client.Path("tags", tag))
		if err != nil {
			return "", m, err
		}
		digest = t.Digest
	}
	repository = client.RepositoryPath(name)
	if m, err = console.Get[apitypes.Manifest](a, repository+client.Path("manifests", digest)); err != nil || len(m.Images) == 0 {
		return repository, m, err
	}
	var known []string
	for _, one := range m.Images {
		platform := one.Platform()
		known = append(known, platform)
		if c.Platform == "" || platform == c.Platform {
			m, err = console.Get[apitypes.Manifest](a, repository+client.Path("manifests", one.Digest))
			return repository, m, err
		}
	}
	return repository, m, fmt.Errorf("%s has no image for %s; it has %s", c.Ref, c.Platform, strings.Join(known, ", "))
}

func (c *Files) layers(s *console.Session, m apitypes.Manifest) error {
	if s.JSON {
		for _, l := range m.Layers {
			if err := s.Print(l); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, len(m.Layers))
	for k, l := range m.Layers {
		rows[k] = []string{fmt.Sprint(k + 1), console.ShortDigest(l.Digest), console.Size(l.Size), l.Made}
	}
	if err := s.Table([]string{"LAYER", "DIGEST", "DOWNLOAD", "MADE BY"}, rows); err != nil || len(rows) == 0 {
		return err
	}
	_, err := fmt.Fprintf(s.Err, "`hubledger files %s --layer 1` lists the files of a layer.\n", c.Ref)
	return err
}

// wait has the hub look through the layer, and waits until it has.
func (c *Files) wait(a *console.API, path string) error {
	bar := a.Session.Bar("looking through the layer")
	defer bar.End()
	for {
		f, err := console.Get[apitypes.LayerFiles](a, path)
		switch {
		case err != nil:
			return err
		case f.State == "missing":
			return errors.New("the hub does not have the content of this layer")
		case f.State == "failed":
			return errors.New("the hub could not read this layer; try again in a minute")
		case f.State == "done" && f.Kind == "":
			return fmt.Errorf("this layer is no archive whose files can be listed: %s", f.About)
		case f.State == "done":
			if f.Truncated != "" {
				fmt.Fprintf(a.Session.Err, "not all of the layer is listed: %s\n", f.Truncated)
			}
			return nil
		}
		bar.Set(f.Read, f.Size, "bytes")
		select {
		case <-time.After(500 * time.Millisecond):
		case <-a.Session.Context.Done():
			return client.ErrInterrupted
		}
	}
}
