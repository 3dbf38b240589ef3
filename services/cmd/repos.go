package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"hubledger/services/internal/apitypes"
)

type reposCmd struct {
	Ls       reposLsCmd       `cmd:"" help:"List repositories, or with --deleted those that can be restored."`
	Show     reposShowCmd     `cmd:"" help:"Show a repository."`
	Create   reposCreateCmd   `cmd:"" help:"Create an empty repository. A push creates a repository as well."`
	Set      reposSetCmd      `cmd:"" help:"Change the visibility, description, README and topics of a repository."`
	Rm       reposRmCmd       `cmd:"" help:"Delete a repository with all its images. repos undelete restores it."`
	Undelete reposUndeleteCmd `cmd:"" help:"Undo a deletion: of NAME, NAME:TAG or NAME@DIGEST."`
	Policy   reposPolicyCmd   `cmd:"" help:"Show or change what a repository accepts."`
	Grants   reposGrantsCmd   `cmd:"" help:"Manage who may do what with a repository or a whole namespace."`
	Star     reposStarCmd     `cmd:"" help:"Star a repository, or remove your star."`
}

// named holds the arguments of a command on one repository.
type named struct {
	target
	Name string `arg:"" help:"Repository, such as alice/app, or a top-level image such as busybox."`
}

func (n *named) path() string { return repositoryPath(n.Name) }

// repositoryPath is the API's path of a repository. The namespace is one
// segment, the rest of the name another. Top-level images are in the namespace
// library.
func repositoryPath(name string) string {
	namespace, rest, ok := strings.Cut(name, "/")
	if !ok {
		namespace, rest = "library", name
	}
	return path("repositories", namespace, rest)
}

// listed is how many repositories the API lists at most without a namespace.
const listed = 1000

type reposLsCmd struct {
	target
	Namespace string `arg:"" optional:"" help:"Only repositories of this user or organization."`
	Deleted   bool   `help:"List deleted repositories instead, and until when they can be restored: those of the namespace, or else your own, or all for the operator."`
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
		fmt.Fprintf(s.err, "Only the first %d repositories are listed; name a namespace to list all of its repositories.\n", listed)
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

// A description holds the options that describe a repository in the catalog.
type description struct {
	Visibility  string   `help:"public: everybody may pull; private: only those with a role on it." enum:"public,private," default:""`
	Description *string  `help:"Description in one line." placeholder:"TEXT"`
	ReadmeFile  string   `help:"File with the README, in Markdown." type:"existingfile" placeholder:"FILE"`
	Topic       []string `help:"Topic; may be repeated. Replaces all previous topics." placeholder:"WORD"`
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
	return a.change("POST", "/repositories", body, "Created the repository "+c.Name)
}

type reposSetCmd struct {
	named
	description
	NoTopics bool `help:"Remove all topics."`
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
	Remove bool `help:"Remove your star."`
}

func (c *reposStarCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Remove {
		return a.change("DELETE", c.path()+"/star", nil, "Removed your star from "+c.Name)
	}
	return a.change("PUT", c.path()+"/star", nil, "Starred "+c.Name)
}
