package repositories

import (
	"errors"
	"fmt"
	"os"

	"hubledger/services/cmd/console"
)

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

func (c *reposCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	body["name"] = c.Name
	return a.Change("POST", "/repositories", body, "Created the repository "+c.Name)
}

type reposSetCmd struct {
	named
	description
	NoTopics bool `help:"Remove all topics."`
}

func (c *reposSetCmd) Run(s *console.Session) error {
	a, err := c.API(s)
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
	return a.Change("PATCH", c.path(), body, "Changed "+c.Name)
}
