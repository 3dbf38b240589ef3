package repositories

import (
	"cmp"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// listed is how many repositories the API lists at most without a namespace.
const listed = 1000

type reposLsCmd struct {
	console.Target
	Namespace string `arg:"" optional:"" help:"Only repositories of this user or organization."`
	Deleted   bool   `help:"List deleted repositories instead, and until when they can be restored: those of the namespace, or else your own, or all for the operator."`
}

func (c *reposLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.Deleted {
		return c.deleted(a)
	}
	q, n := client.Paged(), 0
	empty := fmt.Sprintf("No repositories yet. Push one: docker push %s/%s/app:1.0", a.Host(), cmp.Or(a.User(), "NAMESPACE"))
	if c.Namespace != "" {
		q.Set("namespace", c.Namespace)
		if c.Namespace != a.User() {
			empty = fmt.Sprintf("There is no user or organization %s, or it has no repositories that you may see.", c.Namespace)
		}
	}
	err = console.List(a, "/repositories", q, empty,
		[]string{"NAME", "VISIBILITY", "STARS", "PULLS", "PUSHED", "DESCRIPTION"}, func(r apitypes.Repository) []string {
			n++
			return []string{r.Name, r.Visibility, fmt.Sprint(r.Stars), fmt.Sprint(r.Pulls), console.Time(r.Pushed), r.Description}
		})
	if err == nil && n == listed && c.Namespace == "" {
		fmt.Fprintf(s.Err, "Only the first %d repositories are listed; name a namespace to list all of its repositories.\n", listed)
	}
	return err
}

// deleted prints the deleted repositories of the namespace that was named, else
// of the caller's own, or for the operator of all namespaces.
func (c *reposLsCmd) deleted(a *console.API) error {
	where, of := "/deleted", ""
	if namespace := cmp.Or(c.Namespace, a.User()); namespace != "" {
		where, of = client.Path("namespaces", namespace, "deleted"), " of "+namespace
	}
	return console.List(a, where, client.Paged(), "No deleted repositories"+of+" can be restored.",
		[]string{"NAME", "DELETED", "RESTORABLE UNTIL", "ID"}, func(d apitypes.Deleted) []string {
			return []string{d.Name, console.Time(&d.Deleted), console.Time(&d.Until), d.ID}
		})
}

type reposShowCmd struct{ named }

func (c *reposShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Show(a, c.path(), func(r apitypes.RepositoryDetails) [][]string {
		return [][]string{{"name", r.Name}, {"description", r.Description}, {"visibility", r.Visibility}, {"topics", strings.Join(r.Topics, ", ")},
			{"tags", fmt.Sprint(r.Tags)}, {"stars", fmt.Sprint(r.Stars) + console.If(r.Starred, ", one of them yours")}, {"pulls", fmt.Sprint(r.Pulls)},
			{"created", console.Time(&r.Created)}, {"pushed", console.Time(r.Pushed)}, {"pulled", console.Time(r.Pulled)}, {"your level", r.Level},
			{"readme", console.If(r.Readme != "", console.Size(int64(len(r.Readme))))}, {"id", r.ID}}
	})
}
