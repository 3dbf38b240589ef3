package tags

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/imagediff"
)

type diffCmd struct {
	console.Target
	From     string `arg:"" help:"Tag or digest in a repository, such as alice/app:1.0, or as of an earlier time alice/app:1.0.asof.20261101T120000Z."`
	To       string `arg:"" help:"Another one; a tag or digest alone is in the same repository."`
	Platform string `help:"Of two indexes compare the images for this platform, such as linux/arm64; the first that both have if empty." placeholder:"PLATFORM"`
}

func (c *diffCmd) Run(s *console.Session) error {
	repository, from, err := split(c.From)
	if err != nil {
		return err
	}
	other, to, err := split(c.To)
	if err != nil { // a tag or a digest alone
		other, to = repository, c.To
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	before, err := find(a, repository, from)
	if err != nil {
		return err
	}
	after, err := find(a, other, to)
	if err != nil {
		return err
	}
	in, too := imagediff.Images(before), imagediff.Images(after)
	common := imagediff.Common(in, too)
	if len(common) == 0 {
		return fmt.Errorf("%s and %s have no platform in common", c.From, c.To)
	}
	platform := common[0]
	if c.Platform != "" {
		if platform = c.Platform; !slices.Contains(common, platform) {
			return fmt.Errorf("the two have no image for %s in common, but for %s", c.Platform, strings.Join(common, ", "))
		}
	}
	if before, err = descend(a, repository, before, in[platform]); err != nil {
		return err
	}
	if after, err = descend(a, other, after, too[platform]); err != nil {
		return err
	}
	return printDiff(s, before, after, platform)
}

// split parts a reference into the repository and the tag or digest.
func split(ref string) (repository, rest string, err error) {
	repository, rest, ok := strings.Cut(ref, "@")
	if !ok {
		k := strings.LastIndex(ref, ":")
		if k < 0 || strings.HasPrefix(ref, "sha256:") || strings.HasPrefix(ref, "sha512:") {
			return "", "", fmt.Errorf("%s: write a repository with a tag or digest, such as alice/app:1.0", ref)
		}
		repository, rest = ref[:k], ref[k+1:]
	}
	return repository, rest, nil
}

// find is the manifest that a tag, a tag as of an earlier time, or a digest names.
func find(a *console.API, repository, ref string) (m apitypes.Manifest, err error) {
	path := client.RepositoryPath(repository)
	if !strings.Contains(ref, ":") {
		tag, point, past, err := asof.Cut(ref)
		if err != nil {
			return m, err
		}
		of := path + client.Path("tags", tag)
		if past {
			of += "?" + url.Values{"as_of": {point.String()}}.Encode()
		}
		found, err := console.Get[apitypes.Tag](a, of)
		if err != nil {
			return m, err
		}
		if found.Now != nil && found.Now.State != "there" {
			return m, fmt.Errorf("%s:%s named %s then, which was deleted since: %s", repository, ref, found.Digest, restorable(*found.Now))
		}
		ref = found.Digest
	}
	return console.Get[apitypes.Manifest](a, path+client.Path("manifests", ref))
}

func descend(a *console.API, repository string, m apitypes.Manifest, digest string) (apitypes.Manifest, error) {
	if m.Digest == digest {
		return m, nil
	}
	return console.Get[apitypes.Manifest](a, client.RepositoryPath(repository)+client.Path("manifests", digest))
}

func printDiff(s *console.Session, before, after apitypes.Manifest, platform string) error {
	d := imagediff.Of(before, after, console.Size)
	if s.JSON {
		return s.Print(map[string]any{"from": before.Digest, "to": after.Digest, "platform": platform, "diff": d})
	}
	fmt.Fprintf(s.Out, "From %s\nto   %s\n", before.Digest, after.Digest)
	if before.Digest == after.Digest {
		_, err := fmt.Fprintln(s.Out, "They are the same image.")
		return err
	}
	if d.None() {
		_, err := fmt.Fprintln(s.Out, "They have the same layers and run alike; their manifests differ, such as in annotations, times or history.")
		return err
	}
	var rows [][]string
	for _, of := range []struct {
		kind  string
		facts []imagediff.Fact
	}{{"", d.Facts}, {"variable ", d.Env}, {"label ", d.Labels}} {
		for _, f := range of.facts {
			rows = append(rows, []string{of.kind + f.Name, f.From, f.To})
		}
	}
	for _, l := range d.OnlyA {
		rows = append(rows, []string{"layer", console.ShortDigest(l.Digest) + " " + console.Size(l.Size) + " " + l.Made, ""})
	}
	for _, l := range d.OnlyB {
		rows = append(rows, []string{"layer", "", console.ShortDigest(l.Digest) + " " + console.Size(l.Size) + " " + l.Made})
	}
	return s.Table([]string{"WHAT", "FROM", "TO"}, rows)
}
