package cmd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

type duCmd struct {
	target
	Name         string `arg:"" optional:"" help:"Repository such as acme/app or library/busybox, or a namespace such as acme; default: yours."`
	Repositories bool   `help:"Each repository of the namespace, the largest first."`
}

// A usageItem says what live images take, in bytes.
type usageItem struct {
	Repositories int   `json:"repositories"`
	Tags         int64 `json:"tags"`
	Manifests    int64 `json:"manifests"`
	Blobs        int64 `json:"blobs"`
	Bytes        int64 `json:"bytes"`
	Unique       int64 `json:"unique"`
	Shared       int64 `json:"shared"`
}

func (u usageItem) facts() [][]string {
	return [][]string{{"bytes", size(u.Bytes)}, {"unique", size(u.Unique) + ", which a deletion of all of it would free"}, {"shared", size(u.Shared) + ", which others need, too"},
		{"repositories", fmt.Sprint(u.Repositories)}, {"tags", fmt.Sprint(u.Tags)}, {"manifests", fmt.Sprint(u.Manifests)}, {"blobs", fmt.Sprint(u.Blobs)}}
}

func (c *duCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = a.user
	}
	switch {
	case c.Name == "":
		return errors.New("say of what: du NAMESPACE or du NAMESPACE/NAME")
	case strings.Contains(c.Name, "/"):
		return show(a, repositoryPath(c.Name)+"/usage", nil, usageItem.facts)
	case !c.Repositories:
		return show(a, path("namespaces", c.Name, "usage"), nil, usageItem.facts)
	}
	return c.each(a)
}

// each is the usage of every repository of a namespace, the largest first.
func (c *duCmd) each(a *api) error {
	type row struct {
		Name string `json:"name"`
		usageItem
	}
	var rows []row
	q := paged()
	q.Set("namespace", c.Name)
	err := a.each("/repositories", q, func(raw json.RawMessage) error {
		var r row
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		usage, err := a.do("GET", repositoryPath(r.Name)+"/usage", nil, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		if err := json.Unmarshal(usage, &r.usageItem); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(y.Bytes, x.Bytes) })
	var table [][]string
	for _, r := range rows {
		if a.s.json {
			if err := a.s.print(r); err != nil {
				return err
			}
		}
		table = append(table, []string{r.Name, size(r.Bytes), size(r.Unique), size(r.Shared), fmt.Sprint(r.Tags), fmt.Sprint(r.Manifests)})
	}
	if a.s.json {
		return nil
	}
	return a.s.table([]string{"NAME", "BYTES", "UNIQUE", "SHARED", "TAGS", "MANIFESTS"}, table)
}
