package apps

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Releases are the commands on releases.
type Releases struct {
	Ls   lsReleasesCmd  `cmd:"" help:"List the releases of an application, the latest first."`
	Make makeReleaseCmd `cmd:"" help:"Make a release: pin every image by digest, the Compose file and the configurations."`
	Show showReleaseCmd `cmd:"" help:"Show a release with its images."`
	Diff diffCmd        `cmd:"" help:"Show in what two releases differ."`
}

type lsReleasesCmd struct{ named }

func (c *lsReleasesCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "releases")
	if err != nil {
		return err
	}
	return console.List(a, path, client.Paged(), "No releases. Make one: hubledger releases make "+c.App,
		[]string{"RELEASE", "MADE", "BY", "IMAGES", "NOTE"}, func(v apitypes.Release) []string {
			return []string{strconv.Itoa(v.Number), console.Time(v.Made), v.MadeBy, console.If(v.Kept, "kept"), v.Note}
		})
}

type makeReleaseCmd struct {
	named
	Note string `help:"What to say of it." placeholder:"TEXT"`
}

func (c *makeReleaseCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "releases")
	if err != nil {
		return err
	}
	return console.Send(a, "POST", path, apitypes.MakeReleaseRequest{Note: c.Note}, func(v apitypes.Release) error {
		if v.Unchanged {
			fmt.Fprintf(s.Out, "Nothing differs from release %d of %s (event %d): no other was made.\n", v.Number, v.Application, v.Seq)
		} else {
			fmt.Fprintf(s.Out, "Made release %d of %s (event %d).\n", v.Number, v.Application, v.Seq)
		}
		return s.Table(imageHeader, imageRows(v.Images))
	})
}

var imageHeader = []string{"SERVICE", "IMAGE", "DIGEST", "COMMIT"}

func imageRows(list []apitypes.ReleaseImage) (rows [][]string) {
	for _, v := range list {
		commit := short(v.Commit)
		if v.Missing {
			commit = "deleted"
		}
		rows = append(rows, []string{v.Service, tagged(v), v.Digest, commit})
	}
	return rows
}

func tagged(v apitypes.ReleaseImage) string {
	if v.Tag == "" {
		return v.Name
	}
	return v.Name + ":" + v.Tag
}

// short is a commit with twelve digits.
func short(commit string) string { return commit[:min(len(commit), 12)] }

type showReleaseCmd struct {
	named
	Release int `arg:"" help:"Number of the release."`
}

func (c *showReleaseCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "releases", strconv.Itoa(c.Release))
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.Release) error {
		rows := [][]string{{"release", fmt.Sprintf("%d of %s", v.Number, v.Application)}, {"made", fmt.Sprintf("%s by %s", console.Time(v.Made), v.MadeBy)}, {"images", "may be deleted"}, {"compose", v.Digest}}
		if v.Kept {
			rows[2][1] = "are kept"
		}
		for _, e := range v.Configurations {
			rows = append(rows, []string{e.Environment, fmt.Sprintf("configuration %d", e.Version)})
		}
		if v.Note != "" {
			rows = append(rows, []string{"note", v.Note})
		}
		err := s.Facts(rows)
		if err == nil {
			fmt.Fprintln(s.Out)
			err = s.Table(imageHeader, imageRows(v.Images))
		}
		return err
	})
}

type diffCmd struct {
	named
	A int `arg:"" help:"Number of the one release."`
	B int `arg:"" help:"Number of the other."`
}

func (c *diffCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "releases", strconv.Itoa(c.B), "diff")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path+"?"+url.Values{"from": {strconv.Itoa(c.A)}}.Encode(), nil, func(v apitypes.ReleaseDiff) error {
		if len(v.Images)+len(v.Configurations)+len(v.Compose) == 0 {
			_, err := fmt.Fprintf(s.Out, "Releases %d and %d do not differ.\n", c.A, c.B)
			return err
		}
		for _, i := range v.Images {
			fmt.Fprintf(s.Out, "image of %s: %s -> %s\n", i.Service, pinned(i.From), pinned(i.To))
		}
		for _, e := range v.Configurations {
			fmt.Fprintf(s.Out, "configuration of %s: %d -> %d: %s\n", e.Environment, e.From, e.To, strings.Join(e.Keys, ", "))
		}
		for _, l := range v.Compose {
			fmt.Fprintln(s.Out, l.Sign+l.Text)
		}
		return nil
	})
}

// pinned is an image by its digest, with the commit that it was made of.
func pinned(i *apitypes.ReleaseImage) string {
	if i == nil {
		return "none"
	}
	text := i.Name + "@" + i.Digest
	if i.Commit != "" {
		text += " (commit " + short(i.Commit) + ")"
	}
	return text
}
