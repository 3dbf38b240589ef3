package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"hubledger/services/internal/apitypes"
)

type reposCmd struct {
	Ls       reposLsCmd       `cmd:"" help:"List repositories, or with --deleted those that can be brought back."`
	Show     reposShowCmd     `cmd:"" help:"Show a repository."`
	Create   reposCreateCmd   `cmd:"" help:"Make an empty repository. A push makes one as well."`
	Set      reposSetCmd      `cmd:"" help:"Describe a repository, open or close it."`
	Rm       reposRmCmd       `cmd:"" help:"Delete a repository with all its images. undelete brings it back."`
	Undelete reposUndeleteCmd `cmd:"" help:"Undo a deletion: of NAME, NAME:TAG or NAME@DIGEST."`
	Policy   reposPolicyCmd   `cmd:"" help:"Show or change what a repository accepts."`
	Grants   reposGrantsCmd   `cmd:"" help:"Say who may do what with a repository or a whole namespace."`
	Star     reposStarCmd     `cmd:"" help:"Give a repository a star, or take it back."`
}

// A named is a command on one repository.
type named struct {
	target
	Name string `arg:"" help:"Repository, such as alice/app; busybox is a top-level image."`
}

func (n *named) path() string { return repositoryPath(n.Name) }

// repositoryPath is where the API has a repository. Of a name only the
// namespace is a segment of its own; top-level images are in one called library.
func repositoryPath(name string) string {
	namespace, rest, ok := strings.Cut(name, "/")
	if !ok {
		namespace, rest = "library", name
	}
	return path("repositories", namespace, rest)
}

// listed is how many repositories a list without a namespace can have.
const listed = 1000

type reposLsCmd struct {
	target
	Namespace string `arg:"" optional:"" help:"Only those of this user or organization."`
	Deleted   bool   `help:"List deleted repositories instead, and until when they can be brought back: of the namespace, or else your own, or as the operator all."`
}

func (c *reposLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Deleted {
		return c.deleted(a)
	}
	q, n := paged(), 0
	if c.Namespace != "" {
		q.Set("namespace", c.Namespace)
	}
	err = list(a, "/repositories", q, "No repositories yet. Push one: docker push localhost:5050/alice/app:1.0",
		[]string{"NAME", "VISIBILITY", "STARS", "PULLS", "PUSHED", "DESCRIPTION"}, func(r apitypes.Repository) []string {
			n++
			return []string{r.Name, r.Visibility, fmt.Sprint(r.Stars), fmt.Sprint(r.Pulls), at(r.Pushed), r.Description}
		})
	if err == nil && n == listed && c.Namespace == "" {
		fmt.Fprintf(s.err, "These are the first %d; name a namespace for all it has.\n", listed)
	}
	return err
}

type reposShowCmd struct{ named }

func (c *reposShowCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return show(a, c.path(), nil, func(r apitypes.RepositoryDetails) [][]string {
		return [][]string{{"name", r.Name}, {"description", r.Description}, {"visibility", r.Visibility}, {"topics", join(r.Topics)},
			{"tags", fmt.Sprint(r.Tags)}, {"stars", fmt.Sprint(r.Stars) + yes(r.Starred, ", one of them yours")}, {"pulls", fmt.Sprint(r.Pulls)},
			{"created", at(&r.Created)}, {"pushed", at(r.Pushed)}, {"pulled", at(r.Pulled)}, {"your level", r.Level},
			{"readme", yes(r.Readme != "", size(int64(len(r.Readme))))}, {"id", r.ID}}
	})
}

// A description is what the catalog says of a repository.
type description struct {
	Visibility  string   `help:"public: everybody may pull; private: those it was granted to." enum:"public,private," default:""`
	Description *string  `help:"One line." placeholder:"TEXT"`
	ReadmeFile  string   `help:"File with the README, in Markdown." type:"existingfile" placeholder:"FILE"`
	Topic       []string `help:"Topic; may be repeated. Those it had go." placeholder:"WORD"`
}

func (d *description) body() (map[string]any, error) {
	body := map[string]any{}
	if d.Visibility != "" {
		body["visibility"] = d.Visibility
	}
	if d.Description != nil {
		body["description"] = *d.Description
	}
	if d.ReadmeFile != "" {
		raw, err := os.ReadFile(d.ReadmeFile)
		if err != nil {
			return nil, fmt.Errorf("--readme-file: %w", err)
		}
		body["readme"] = string(raw)
	}
	if len(d.Topic) > 0 {
		body["topics"] = d.Topic
	}
	return body, nil
}

type reposCreateCmd struct {
	named
	description
}

func (c *reposCreateCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	body["name"] = c.Name
	return a.change("POST", "/repositories", body, "Made the repository "+c.Name)
}

type reposSetCmd struct {
	named
	description
	NoTopics bool `help:"Take all topics away."`
}

func (c *reposSetCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if c.NoTopics {
		body["topics"] = []string{}
	}
	if len(body) == 0 {
		return errors.New("say what to set: --visibility, --description, --readme-file, --topic")
	}
	return a.change("PATCH", c.path(), body, "Changed "+c.Name)
}

type reposStarCmd struct {
	named
	Remove bool `help:"Take your star back."`
}

func (c *reposStarCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Remove {
		return a.change("DELETE", c.path()+"/star", nil, "Took the star of "+c.Name+" back")
	}
	return a.change("PUT", c.path()+"/star", nil, "Gave a star to "+c.Name)
}
