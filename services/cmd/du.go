package cmd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
)

type duCmd struct {
	target
	Name         string `arg:"" optional:"" help:"Repository such as acme/app or library/busybox, or a namespace such as acme; default: every namespace in which you have rights."`
	Repositories bool   `help:"List each repository of the namespace, the largest first; default: your own namespace."`
}

func usageFacts(u apitypes.Usage) [][]string {
	return [][]string{{"bytes", size(u.Bytes)}, {"unique", size(u.Unique) + ", freed if all of it is deleted"}, {"shared", size(u.Shared) + ", also needed by others"},
		{"repositories", fmt.Sprint(u.Repositories)}, {"tags", fmt.Sprint(u.Tags)}, {"manifests", fmt.Sprint(u.Manifests)}, {"blobs", fmt.Sprint(u.Blobs)}}
}

// listedUsages bounds how many namespaces du lists: each costs a request.
const listedUsages = 1000

func (c *duCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(c.Name, "/"):
		return show(a, repositoryPath(c.Name)+"/usage", nil, usageFacts)
	case c.Repositories:
		return c.repositories(a)
	case c.Name != "":
		return show(a, path("namespaces", c.Name, "usage"), nil, usageFacts)
	}
	return namespaces(a)
}

// A usageRow is what something of a name takes.
type usageRow struct {
	Name string `json:"name"`
	apitypes.Usage
}

// usages returns the usage of the items of a list, the largest first. most
// bounds the number of items; more says that the list has further ones. where
// is an item's path.
func usages(a *api, list string, q url.Values, most int, where func(name string) string) (rows []usageRow, more bool, err error) {
	enough := errors.New("enough")
	err = a.each(list, q, func(raw json.RawMessage) error {
		if len(rows) == most {
			more = true
			return enough
		}
		var r usageRow
		err := json.Unmarshal(raw, &r)
		if err == nil {
			raw, err = a.do("GET", where(r.Name)+"/usage", nil, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			err = json.Unmarshal(raw, &r.Usage)
		}
		if err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		rows = append(rows, r)
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	slices.SortStableFunc(rows, func(x, y usageRow) int { return cmp.Compare(y.Bytes, x.Bytes) })
	return rows, more, err
}

// namespaces prints the usage of every namespace in which the caller has
// rights, the largest first.
func namespaces(a *api) error {
	rows, more, err := usages(a, "/namespaces", paged(), listedUsages, func(name string) string { return path("namespaces", name) })
	if err != nil {
		return err
	}
	if more {
		fmt.Fprintf(a.s.err, "Only the first %d namespaces by name are listed; for another one type: du NAMESPACE\n", listedUsages)
	}
	return a.usageTable(rows, []string{"REPOSITORIES", "TAGS", "MANIFESTS"}, func(u apitypes.Usage) []string {
		return []string{fmt.Sprint(u.Repositories), fmt.Sprint(u.Tags), fmt.Sprint(u.Manifests)}
	})
}

// repositories prints the usage of every repository of a namespace, the largest first.
func (c *duCmd) repositories(a *api) error {
	namespace := cmp.Or(c.Name, a.User)
	if namespace == "" {
		return errors.New("the operator has no namespace: name one, as in `du NAMESPACE --repositories`")
	}
	q := paged()
	q.Set("namespace", namespace)
	rows, _, err := usages(a, "/repositories", q, math.MaxInt, repositoryPath)
	if err != nil {
		return err
	}
	return a.usageTable(rows, []string{"TAGS", "MANIFESTS"}, func(u apitypes.Usage) []string { return []string{fmt.Sprint(u.Tags), fmt.Sprint(u.Manifests)} })
}

func (a *api) usageTable(rows []usageRow, header []string, counts func(apitypes.Usage) []string) error {
	var table [][]string
	for _, r := range rows {
		if a.s.json {
			if err := a.s.print(r); err != nil {
				return err
			}
		}
		table = append(table, append([]string{r.Name, size(r.Bytes), size(r.Unique), size(r.Shared)}, counts(r.Usage)...))
	}
	if a.s.json {
		return nil
	}
	return a.s.table(append([]string{"NAME", "BYTES", "UNIQUE", "SHARED"}, header...), table)
}
