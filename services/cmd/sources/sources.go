// Package sources has the commands on git sources.
package sources

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Commands are the commands on git sources.
type Commands struct {
	Link       linkCmd       `cmd:"" help:"Watch a git repository."`
	Ls         lsCmd         `cmd:"" help:"List the git sources of a namespace."`
	Show       showCmd       `cmd:"" help:"Show a git source, and how its latest sweep went."`
	Set        setCmd        `cmd:"" help:"Change a git source: its URL, credentials, webhook secret, or commit statuses."`
	Refs       refsCmd       `cmd:"" help:"List the branches and tags of a git source, or its pull requests; those that moved last first."`
	Sweep      sweepCmd      `cmd:"" help:"Look at the branches and tags of a git repository now."`
	Deliveries deliveriesCmd `cmd:"" help:"List the webhooks that a git source has received, or show one and what came of it."`
	Redeliver  redeliverCmd  `cmd:"" help:"Look at the branches and tags again because of a webhook."`
	Unlink     unlinkCmd     `cmd:"" help:"Stop watching a git repository. Its secrets are destroyed."`
}

// named is the argument of commands on one source.
type named struct {
	console.Target
	Source string `arg:"" help:"Full name, such as acme/app."`
}

// split is the source's namespace and the rest of its name.
func (n named) split() (namespace, name string, err error) {
	namespace, name, ok := strings.Cut(n.Source, "/")
	if !ok {
		return "", "", fmt.Errorf("%q names no git source: write NAMESPACE/NAME, such as acme/app", n.Source)
	}
	return namespace, name, nil
}

// path is the source's in the API, with more behind it.
func (n named) path(more ...string) (string, error) {
	namespace, name, err := n.split()
	return client.Path(append([]string{"sources", namespace, name}, more...)...), err
}

type lsCmd struct {
	console.Target
	Namespace string `arg:"" help:"A user or an organization."`
}

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.Path("namespaces", c.Namespace, "sources"), client.Paged(), "No git sources. Link one: hubledger sources link "+c.Namespace+"/NAME URL",
		[]string{"NAME", "HOST", "URL"}, func(v apitypes.Source) []string { return []string{v.Name, v.Host, v.URL} })
}

type showCmd struct{ named }

func (c *showCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return console.Show(a, path, rows)
}

// open is the hub and the source's path in its API.
func (n named) open(s *console.Session, more ...string) (*console.API, string, error) {
	path, err := n.path(more...)
	if err != nil {
		return nil, "", err
	}
	a, err := n.API(s)
	return a, path, err
}

// rows are what people read about a source.
func rows(v apitypes.Source) [][]string {
	list := [][]string{{"name", v.Name}, {"url", v.URL}, {"host", v.Host}, {"credentials", credentials(v)}}
	if v.DeployKey != "" {
		list = append(list, []string{"deploy key", v.DeployKey})
	}
	if v.HostKey != "" {
		list = append(list, []string{"host key", v.HostKey})
	}
	list = append(list, []string{"webhook", v.WebhookURL}, []string{"last heard", heard(v)})
	if f := v.Refused; f != nil && (v.Heard == nil || f.Until.After(*v.Heard)) {
		list = append(list, []string{"refused", fmt.Sprintf("%d webhooks until %s: they were not signed with the secret of this source, or as this kind of host signs them", f.Requests, console.Time(&f.Until))})
	}
	list = append(list, statusRows(v)...)
	switch w := v.Sweep; {
	case w == nil:
		list = append(list, []string{"swept", "not yet"})
	case w.Error != "":
		list = append(list, []string{"swept", console.Time(&w.At)}, []string{"failed", w.Error}, []string{"next sweep", console.Time(&w.Next)})
	default:
		list = append(list, []string{"swept", console.Time(&w.At)}, []string{"refs", fmt.Sprintf("%d, of which %d moved", w.Refs, w.Moved)}, []string{"next sweep", console.Time(&w.Next)})
	}
	return list
}

// statusRows say how it goes with telling the git host of builds.
func statusRows(v apitypes.Source) [][]string {
	if !v.Status {
		return [][]string{{"statuses", "off"}}
	}
	with := "on, with the token of the source"
	if v.StatusToken {
		with = "on, with a token of their own"
	}
	list := [][]string{{"statuses", with}}
	if t := v.StatusSent; t != nil {
		how := "status sent"
		if t.Error != "" {
			how = "status refused"
		}
		list = append(list, []string{how, console.Time(&t.At)})
		if t.Error != "" {
			list = append(list, []string{"because", t.Error})
		}
		if t.Next != nil {
			list = append(list, []string{"next status", console.Time(t.Next)})
		}
	}
	return list
}

func credentials(v apitypes.Source) string {
	switch v.Credentials {
	case "token":
		return "token, as user " + v.User
	case "deploy-key":
		return "deploy key"
	}
	return "none"
}

func heard(v apitypes.Source) string {
	if v.Heard == nil {
		return "never"
	}
	return console.Time(v.Heard)
}

type refsCmd struct {
	named
	PullRequests bool `help:"List pull requests, which the hub knows while build rules test them."`
}

func (c *refsCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "refs")
	if err != nil {
		return err
	}
	if c.PullRequests {
		return c.pulls(a, path)
	}
	built, err := c.built(a)
	if err != nil {
		return err
	}
	return console.List(a, path, client.Paged(), "No branches and tags yet. Look for them now: hubledger sources sweep "+c.Source,
		[]string{"REF", "COMMIT", "BEFORE", "MOVED", "EVENT", "BUILT"}, func(v apitypes.GitRef) []string {
			return []string{v.Ref, commit(v.Commit, "deleted"), commit(v.Previous, ""), console.Time(&v.Moved), fmt.Sprint(v.Seq), built[v.Ref+" "+v.Commit]}
		})
}

// built are the latest builds from the source that the caller may see, by ref and commit,
// each as people write it.
func (c *refsCmd) built(a *console.API) (map[string]string, error) {
	query := url.Values{"source": {c.Source}, "limit": {"100"}}
	list, err := console.Get[apitypes.List[apitypes.Build]](a, client.Path("builds")+"?"+query.Encode())
	built, rules := map[string]string{}, map[string]bool{}
	for _, b := range list.Items { // the latest first
		at := b.Ref + " " + b.Commit
		if rule := at + " " + b.Repository + " " + b.Rule; !rules[rule] {
			rules[rule] = true
			built[at] += console.If(built[at] != "", ", ") + b.Short() + " " + cmp.Or(b.Outcome, b.State)
		}
	}
	return built, err
}

func (c *refsCmd) pulls(a *console.API, path string) error {
	query := client.Paged()
	query.Set("kind", "pull_request")
	return console.List(a, path, query, "No pull requests. The hub looks for them when a build rule says autotest: own or all, and the git host shows them.",
		[]string{"NUMBER", "FROM", "TO", "COMMIT", "CHANGED", "EVENT"}, func(v apitypes.GitRef) []string {
			p := v.PullRequest
			to := strings.TrimPrefix(p.Target, "refs/heads/") + console.If(p.Assumed, " (assumed)")
			return []string{fmt.Sprint(p.Number), p.From, to, commit(v.Commit, "closed"), console.Time(&v.Moved), fmt.Sprint(v.Seq)}
		})
}

func commit(id, none string) string {
	if id == "" {
		return none
	}
	return id[:min(len(id), 12)]
}

type unlinkCmd struct{ named }

func (c *unlinkCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", path, nil, "Unlinked "+c.Source)
}
