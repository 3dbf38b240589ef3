package repositories

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Du is the command that shows disk usage.
type Du struct {
	console.Target
	Name         string `arg:"" optional:"" help:"Repository such as acme/app or library/busybox, or a namespace such as acme; default: every namespace in which you have rights."`
	Repositories bool   `help:"List each repository of the namespace, the largest first; default: your own namespace."`
}

func usageFacts(u apitypes.Usage) [][]string {
	unique, shared := ", freed if all of it is deleted", ", also needed by others"
	if !u.Everywhere {
		unique = ", needed by nothing else in the namespace; freed as far as no other namespace needs it"
		shared = ", also needed by others in the namespace"
	}
	return [][]string{{"bytes", console.Size(u.Bytes)}, {"unique", console.Size(u.Unique) + unique}, {"shared", console.Size(u.Shared) + shared},
		{"repositories", fmt.Sprint(u.Repositories)}, {"tags", fmt.Sprint(u.Tags)}, {"manifests", fmt.Sprint(u.Manifests)}, {"blobs", fmt.Sprint(u.Blobs)}}
}

// listedUsages bounds how many namespaces du lists: each costs a request.
const listedUsages = 1000

func (c *Du) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(c.Name, "/"):
		return console.Show(a, client.RepositoryPath(c.Name)+"/usage", usageFacts)
	case c.Repositories:
		return c.repositories(a)
	case c.Name != "":
		return console.Show(a, client.Path("namespaces", c.Name, "usage"), usageFacts)
	}
	return namespaces(a)
}

// A usageRow is the disk usage of a repository or a namespace.
type usageRow struct {
	Name string `json:"name"`
	apitypes.Usage
}

// usages returns the usage of the repositories or namespaces that a list of the API
// has, the largest first, but of no more than most; more says that the list has
// further ones. where returns the API's path of an item.
func usages(a *console.API, list string, q url.Values, most int, where func(name string) string) (rows []usageRow, more bool, err error) {
	enough := errors.New("enough")
	err = console.Each(a, list, q, func(r usageRow) error {
		if len(rows) == most {
			more = true
			return enough
		}
		u, err := console.Get[apitypes.Usage](a, where(r.Name)+"/usage")
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		rows = append(rows, usageRow{r.Name, u})
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
func namespaces(a *console.API) error {
	rows, more, err := usages(a, "/namespaces", client.Paged(), listedUsages, func(name string) string { return client.Path("namespaces", name) })
	if err != nil {
		return err
	}
	if more {
		fmt.Fprintf(a.Session.Err, "Only the first %d namespaces by name are listed; for another one type: du NAMESPACE\n", listedUsages)
	}
	return usageTable(a, rows, []string{"REPOSITORIES", "TAGS", "MANIFESTS"}, func(u apitypes.Usage) []string {
		return []string{fmt.Sprint(u.Repositories), fmt.Sprint(u.Tags), fmt.Sprint(u.Manifests)}
	})
}

// repositories prints the usage of every repository of a namespace, the largest first.
func (c *Du) repositories(a *console.API) error {
	namespace := cmp.Or(c.Name, a.User())
	if namespace == "" {
		return errors.New("the operator has no namespace: name one, as in `hubledger du NAMESPACE --repositories`")
	}
	q := client.Paged()
	q.Set("namespace", namespace)
	rows, _, err := usages(a, "/repositories", q, math.MaxInt, client.RepositoryPath)
	if err != nil {
		return err
	}
	return usageTable(a, rows, []string{"TAGS", "MANIFESTS"}, func(u apitypes.Usage) []string { return []string{fmt.Sprint(u.Tags), fmt.Sprint(u.Manifests)} })
}

func usageTable(a *console.API, rows []usageRow, header []string, counts func(apitypes.Usage) []string) error {
	var table [][]string
	for _, r := range rows {
		if a.Session.JSON {
			if err := a.Session.Print(r); err != nil {
				return err
			}
		}
		table = append(table, append([]string{r.Name, console.Size(r.Bytes), console.Size(r.Unique), console.Size(r.Shared)}, counts(r.Usage)...))
	}
	if a.Session.JSON {
		return nil
	}
	return a.Session.Table(append([]string{"NAME", "BYTES", "UNIQUE", "SHARED"}, header...), table)
}
