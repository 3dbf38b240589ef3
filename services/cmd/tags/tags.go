// Package tags has the commands on the tags of a repository and on their past.
package tags

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Commands are the commands on tags.
type Commands struct {
	Ls       lsCmd       `cmd:"" help:"List the tags of a repository, or with --deleted what was deleted from it."`
	History  historyCmd  `cmd:"" help:"Show which images a tag has named, and when."`
	Diff     diffCmd     `cmd:"" help:"Show in what two images differ: how they run, variables, labels, layers."`
	Rollback rollbackCmd `cmd:"" help:"Roll a tag back to an image that it named before."`
	Rm       rmCmd       `cmd:"" help:"Delete tags; their images stay. repos undelete NAME:TAG restores one."`
}

// reference holds the argument of a command on one tag.
type reference struct {
	console.Target
	Ref string `arg:"" name:"repository:tag" help:"Tag of a repository, such as alice/app:latest."`
}

// path is the API's path of the tag.
func (r *reference) path() (string, error) {
	name, tag, ok := strings.Cut(r.Ref, ":")
	if !ok || name == "" || tag == "" {
		return "", fmt.Errorf("%s: write a repository and a tag, such as alice/app:latest", r.Ref)
	}
	return client.RepositoryPath(name) + client.Path("tags", tag), nil
}

type lsCmd struct {
	console.Target
	Name    string `arg:"" help:"Repository, such as alice/app."`
	Sort    string `help:"${enum}. version: newest first, 1.10 before 1.9." enum:"name,version,pushed,size,pulls" default:"version"`
	Match   string `help:"Only tags with this text in their name." placeholder:"TEXT"`
	Deleted bool   `help:"List deleted tags and images instead, and until when they can be restored."`
	AsOf    string `help:"List what tags named at that time, such as 2026-11-01T12:00:00Z, or when the event of that sequence was the last of the log, such as s12345." placeholder:"WHEN"`
}

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	q := client.Paged()
	if c.Deleted {
		return console.List(a, client.RepositoryPath(c.Name)+"/trash", q, "Nothing was deleted from "+c.Name+".",
			[]string{"DELETED", "WHAT", "IMAGE", "BY", "RESTORABLE", "BRINGS BACK"}, func(d apitypes.Trashed) []string {
				return []string{console.Time(&d.Deleted), deletedName(c.Name, d), console.ShortDigest(d.Digest), d.By, restorable(d.Fate), brings(d)}
			})
	}
	if c.AsOf != "" {
		return c.asOf(a)
	}
	q.Set("sort", c.Sort)
	if c.Match != "" {
		q.Set("q", c.Match)
	}
	return console.List(a, client.RepositoryPath(c.Name)+"/tags", q, "There is no such tag.", []string{"TAG", "IMAGE", "DOWNLOAD", "PUSHED", "BY", "PULLS"}, func(t apitypes.Tag) []string {
		return []string{t.Name, console.ShortDigest(t.Digest), console.Size(t.Size), console.Time(&t.Pushed), t.By, fmt.Sprint(t.Pulls)}
	})
}

// asOf lists the tags of an earlier time.
func (c *lsCmd) asOf(a *console.API) error {
	if c.Match != "" {
		return errors.New("--match is for the tags of today: leave it out with --as-of")
	}
	q := client.Paged()
	q.Set("as_of", c.AsOf)
	return console.List(a, client.RepositoryPath(c.Name)+"/tags", q, "No tag of "+c.Name+" named anything then.", []string{"TAG", "IMAGE", "PUSHED", "BY", "EVENT", "NOW"}, func(t apitypes.Tag) []string {
		return []string{t.Name, console.ShortDigest(t.Digest), console.Time(&t.Pushed), t.By, fmt.Sprint(t.Seq), restorable(*t.Now)}
	})
}

// deletedName is what repos undelete takes.
func deletedName(repository string, d apitypes.Trashed) string {
	if d.Kind == "tag" {
		return repository + ":" + d.Tag
	}
	return repository + "@" + d.Digest
}

func restorable(f apitypes.Fate) string {
	switch {
	case f.State == "there":
		return "it is there"
	case f.State == "deleted":
		return "until " + console.Time(f.Until)
	case f.Swept > 0:
		return fmt.Sprintf("gone since %s, swept by event %d", console.Time(f.Since), f.Swept)
	}
	return "gone since " + console.Time(f.Since)
}

func brings(d apitypes.Trashed) string {
	switch {
	case d.Fate.State == "gone":
		return ""
	case d.NeedsImage:
		return "restore its image first"
	case d.Kind == "tag":
		return "the tag"
	case d.MoreTags > 0:
		return fmt.Sprintf("the image, %s and %d other tags", strings.Join(d.Tags, ", "), d.MoreTags)
	case len(d.Tags) > 0:
		return "the image, " + strings.Join(d.Tags, ", ")
	}
	return "the image"
}

type rmCmd struct {
	console.Target
	Refs []string `arg:"" name:"repository:tag" help:"Tags, such as alice/app:1.0."`
}

func (c *rmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	for _, ref := range c.Refs {
		r := reference{Ref: ref}
		path, err := r.path()
		if err != nil {
			return err
		}
		if err := a.Change("DELETE", path, nil, "Deleted "+ref+"; `hubledger repos undelete "+ref+"` brings it back"); err != nil {
			return fmt.Errorf("%s: %w", ref, err)
		}
	}
	return nil
}
