// Package builds has the commands on builds.
package builds

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Commands are the commands on builds.
type Commands struct {
	Ls     lsCmd     `cmd:"" help:"List the builds of a repository, the latest first."`
	Show   showCmd   `cmd:"" help:"Show a build with its steps. One that waits says why."`
	Logs   logsCmd   `cmd:"" help:"Print what a build has written; --follow goes on until it has ended."`
	Cancel cancelCmd `cmd:"" help:"Cancel a build."`
	Retry  retryCmd  `cmd:"" help:"Build the same commit or uploaded directory again by the rule as it was for that build. For the rules as they are now call a build trigger: rules triggers create --help."`
	Key    keyCmd    `cmd:"" help:"Print the public key that verifies where images come from."`
}

const (
	maxListed = 100 // builds that ls lists, and among which an abbreviated id is looked for
	fullID    = 36  // characters of an id
)

type lsCmd struct {
	console.Target
	Repository string `arg:"" help:"Full name of the repository, such as acme/app."`
}

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.ListFirst(a, client.RepositoryPath(c.Repository)+"/builds", client.Paged(), maxListed, "No builds yet. A push to its git source makes one, if a rule says so: hubledger rules show "+c.Repository,
		[]string{"BUILD", "REF", "COMMIT", "RULE", "STATE", "TAGS", "QUEUED"}, func(v apitypes.Build) []string {
			ref, at := place(v)
			return []string{v.Short(), ref, at, v.Rule, state(v), strings.Join(v.Tags, ", "), console.Time(&v.Queued)}
		})
}

// place says in short what is built: a ref and its commit, or an uploaded directory and
// its digest.
func place(v apitypes.Build) (ref, at string) {
	if v.Upload != nil {
		return "uploaded directory", fmt.Sprintf("%.8s", strings.TrimPrefix(v.Upload.Digest, "sha256:"))
	}
	return short(v.Ref, v.PullRequest), fmt.Sprintf("%.8s", v.Commit)
}

// short names a branch, a tag or a pull request.
func short(ref string, p *apitypes.PullRequest) string {
	if p != nil {
		return fmt.Sprint("pull request ", p.Number)
	}
	return strings.NewReplacer("refs/heads/", "", "refs/tags/", "").Replace(ref)
}

// state says in one word where a build is.
func state(v apitypes.Build) string {
	if v.Outcome != "" {
		return v.Outcome
	}
	return v.State
}

// one is the argument of commands on one build.
type one struct {
	console.Target
	Repository string `arg:"" help:"Full name of the repository, such as acme/app."`
	Build      string `arg:"" optional:"" help:"Id of the build, or its first or last characters; default: the latest one."`
}

// open is the hub and the build's path in its API.
func (o one) open(s *console.Session) (*console.API, string, apitypes.Build, error) {
	a, err := o.API(s)
	if err != nil {
		return nil, "", apitypes.Build{}, err
	}
	found, err := o.find(a)
	return a, client.RepositoryPath(o.Repository) + "/builds/" + found.ID, found, err
}

// find is the build that is meant.
func (o one) find(a *console.API) (found apitypes.Build, err error) {
	if len(o.Build) == fullID {
		details, err := console.Get[apitypes.BuildDetails](a, client.RepositoryPath(o.Repository)+"/builds/"+url.PathEscape(o.Build))
		return details.Build, err
	}
	n := 0
	err = console.Each(a, client.RepositoryPath(o.Repository)+"/builds", client.Paged(), func(v apitypes.Build) error {
		if n++; n > maxListed {
			return errEnough
		}
		if !strings.HasPrefix(v.ID, o.Build) && !strings.HasSuffix(v.ID, o.Build) {
			return nil
		}
		if found.ID != "" && o.Build != "" {
			return fmt.Errorf("the ids of several builds begin or end with %s: write more of the id, as builds ls shows it", o.Build)
		}
		if found.ID == "" {
			found = v
		}
		if o.Build == "" {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	switch {
	case err != nil:
		return found, err
	case found.ID == "" && o.Build == "":
		return found, fmt.Errorf("%s has no builds yet", o.Repository)
	case found.ID == "":
		return found, fmt.Errorf("%s has no build %s among its latest %d", o.Repository, o.Build, maxListed)
	}
	return found, nil
}

var errEnough = fmt.Errorf("enough")

type showCmd struct{ one }

func (c *showCmd) Run(s *console.Session) error {
	a, path, _, err := c.open(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.BuildDetails) error {
		known := facts(v.Build)
		for _, b := range v.Bases {
			name, _, _ := strings.Cut(b.Name, "@")
			if b.Repository != "" {
				name = ours(name)
			}
			known = append(known, []string{"made from", name + "@" + b.Digest + console.If(b.Platform != "", " for "+b.Platform)})
		}
		if v.Scanner != "" {
			known = append(known, []string{"SBOM made by", ours(v.Scanner)})
		}
		if err := s.Facts(known); err != nil || len(v.Steps) == 0 {
			return err
		}
		fmt.Fprintln(s.Out)
		var rows [][]string
		for _, p := range v.Steps {
			took := time.Duration(p.Took * float64(time.Second)).Round(time.Millisecond).String()
			rows = append(rows, []string{fmt.Sprint(p.Number), p.Kind, p.Name, console.If(p.Cached, "cached") + console.If(p.Failed, "failed") + console.If(!p.Cached && !p.Failed, took)})
		}
		return s.Table([]string{"STEP", "KIND", "NAME", "TOOK"}, rows)
	})
}

func facts(v apitypes.Build) [][]string {
	of := v.Ref + " at " + v.Commit
	if v.Upload != nil {
		of = fmt.Sprintf("an uploaded directory, %s, %s", v.Upload.Digest, humanize.IBytes(uint64(v.Upload.Size)))
	}
	list := [][]string{{"build", v.ID}, {"of", of}, {"rule", v.Rule}, {"tags", strings.Join(v.Tags, ", ")}, {"state", state(v)}, {"reason", v.Reason}}
	if p := v.PullRequest; p != nil {
		from := map[string]string{"own": "of the git repository itself", "fork": "of a fork: without secrets and build args"}[p.From]
		to := strings.TrimPrefix(p.Target, "refs/heads/") + console.If(p.Assumed, ", as the default branch")
		list = slices.Insert(list, 2, []string{"pull request", fmt.Sprintf("%d to %s, %s", p.Number, to, from)})
	}
	if v.State == "waiting" {
		list = append(list, []string{"position", fmt.Sprint(v.Position)}, []string{"because", v.Detail})
	} else if v.Detail != "" {
		list = append(list, []string{"because", v.Detail})
	}
	if r := v.Rebuild; r != nil {
		list = append(list, []string{"made again", fmt.Sprintf("%s became %s, and was %s", ours(r.Base), r.Now, r.Was)})
	}
	if v.Digest != "" {
		list = append(list, []string{"digest", v.Digest})
	}
	if v.Provenance != "" {
		list = append(list, []string{"provenance", v.Provenance})
	}
	for _, t := range v.Refused {
		list = append(list, []string{"tag not set", t.Tag + ": " + t.Why})
	}
	list = append(list, []string{"queued", console.Time(&v.Queued) + " by " + v.QueuedBy})
	if v.Started != nil {
		list = append(list, []string{"started", console.Time(v.Started) + " by the builder " + v.Builder})
	}
	if v.Ended != nil {
		list = append(list, []string{"ended", console.Time(v.Ended)})
	}
	return list
}

// ours is the name of an image of this hub, which a build may ask for as if it were of Docker Hub.
func ours(name string) string { return strings.TrimPrefix(name, "docker.io/") }

type cancelCmd struct{ one }

func (c *cancelCmd) Run(s *console.Session) error {
	a, path, v, err := c.open(s)
	if err != nil {
		return err
	}
	return a.Change("POST", path+"/cancel", nil, "Cancelled the build "+v.Short())
}

type retryCmd struct{ one }

func (c *retryCmd) Run(s *console.Session) error {
	a, path, again, err := c.open(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", path+"/retry", nil, func(v apitypes.Build) error {
		if v.Upload != nil {
			_, err := fmt.Fprintf(s.Out, "Queued the build %s (event %d) of the same uploaded directory as the build %s.\n", v.Short(), v.Seq, again.Short())
			return err
		}
		_, err := fmt.Fprintf(s.Out, "Queued the build %s (event %d), by the rule %s as it was for the build %s. A build trigger builds by the rules as they are now: hubledger rules triggers create %s NAME\n",
			v.Short(), v.Seq, v.Rule, again.Short(), c.Repository)
		return err
	})
}
