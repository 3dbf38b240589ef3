package cmd

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
)

type reposCmd struct {
	Ls       reposLsCmd       `cmd:"" help:"List repositories, or with --deleted those that can be brought back."`
	Rm       reposRmCmd       `cmd:"" help:"Delete a repository with all its images. undelete brings it back."`
	Undelete reposUndeleteCmd `cmd:"" help:"Undo a deletion: of NAME, NAME:TAG or NAME@DIGEST."`
	Policy   reposPolicyCmd   `cmd:"" help:"Change what a repository accepts."`
}

type reposLsCmd struct {
	Deleted bool `help:"List deleted repositories instead, and until when they can be brought back."`
}

type reposRmCmd struct {
	Name string `arg:"" help:"Repository, such as alice/app."`
}

type reposUndeleteCmd struct {
	Ref string `arg:"" help:"NAME, NAME:TAG or NAME@DIGEST."`
	ID  string `name:"id" help:"Which one, when several repositories had the name; see repos ls --deleted."`
}

type reposPolicyCmd struct {
	Name          string `arg:"" help:"Repository, such as alice/app."`
	SparseIndexes bool   `help:"Accept an index some of whose manifests are not there." negatable:""`
}

// A repoItem is one line of repos ls.
type repoItem struct {
	Name            string     `json:"name"`
	ID              string     `json:"id,omitempty"`
	Tags            int        `json:"tags"`
	Manifests       int        `json:"manifests"`
	Deleted         *time.Time `json:"deleted,omitempty"`
	RestorableUntil *time.Time `json:"restorableUntil,omitempty"`
}

func (c *reposLsCmd) Run(s *session) error {
	q := url.Values{}
	header := []string{"NAME", "TAGS", "MANIFESTS"}
	if c.Deleted {
		q.Set("deleted", "1")
		header = []string{"NAME", "DELETED", "RESTORABLE UNTIL", "ID"}
	}
	var rows [][]string
	err := items(s, "GET", "/repos", q, nil, func(r repoItem) error {
		if c.Deleted {
			rows = append(rows, []string{r.Name, r.Deleted.Format(time.DateTime), r.RestorableUntil.Format(time.DateTime), r.ID})
		} else {
			rows = append(rows, []string{r.Name, fmt.Sprint(r.Tags), fmt.Sprint(r.Manifests)})
		}
		return nil
	})
	if err != nil || s.json {
		return err
	}
	if len(rows) == 0 && !c.Deleted {
		_, err := fmt.Fprintln(s.out, "No repositories yet. Push one: docker push localhost:5050/alice/app:1.0")
		return err
	}
	return s.table(header, rows)
}

// A done is the answer to a command that wrote to the log.
type done struct {
	Seq uint64 `json:"seq"`
}

func (s *session) change(method, path string, q url.Values, message string) error {
	return items(s, method, path, q, nil, func(d done) error {
		if s.json {
			return nil
		}
		_, err := fmt.Fprintf(s.out, "%s (event %d).\n", message, d.Seq)
		return err
	})
}

func (c *reposRmCmd) Run(s *session) error {
	return s.change("DELETE", "/repos", url.Values{"name": {c.Name}}, "Deleted "+c.Name+"; `repos undelete "+c.Name+"` brings it back")
}

func (c *reposUndeleteCmd) Run(s *session) error {
	return s.change("POST", "/repos/undelete", url.Values{"ref": {c.Ref}, "id": {c.ID}}, "Restored "+c.Ref)
}

func (c *reposPolicyCmd) Run(s *session) error {
	return s.change("POST", "/repos/policy", url.Values{"name": {c.Name}, "sparse": {fmt.Sprint(c.SparseIndexes)}}, "Changed the policy of "+c.Name)
}

// byOperator: who may open the admin socket owns the data directory.
var byOperator = command.By{Source: "/cli", Actor: "operator"}

func (h *hub) adminRepos(ctx context.Context, r *http.Request, a *answer) error {
	if r.URL.Query().Get("deleted") != "" {
		list, err := h.registry.Read.DeletedRepositories(ctx, "", time.Now().Add(-h.UndeleteWindow))
		for _, d := range list {
			until := d.Deleted.Add(h.UndeleteWindow)
			if err := a.item(repoItem{Name: d.Name, ID: d.ID, Deleted: &d.Deleted, RestorableUntil: &until}); err != nil {
				return err
			}
		}
		return err
	}
	last := ""
	for {
		page, err := h.registry.Read.Summaries(ctx, last, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, sum := range page {
			if err := a.item(repoItem{Name: sum.Name, ID: sum.ID, Tags: sum.Tags, Manifests: sum.Manifests}); err != nil {
				return err
			}
		}
		last = page[len(page)-1].Name
	}
}

func (h *hub) adminUndelete(ctx context.Context, r *http.Request, a *answer) error {
	ref := r.URL.Query().Get("ref")
	var seq uint64
	var err error
	if name, d, ok := strings.Cut(ref, "@"); ok {
		var parsed digest.Digest
		if parsed, err = digest.Parse(d); err != nil {
			return fmt.Errorf("%q is not a digest: %w", d, err)
		}
		seq, err = h.registry.RestoreManifest(ctx, byOperator, name, parsed)
	} else if name, tag, ok := strings.Cut(ref, ":"); ok {
		seq, err = h.registry.RestoreTag(ctx, byOperator, name, tag)
	} else {
		seq, err = h.registry.RestoreRepository(ctx, byOperator, ref, r.URL.Query().Get("id"))
	}
	if err != nil {
		return err
	}
	return a.item(done{seq})
}

func (h *hub) adminDelete(ctx context.Context, r *http.Request, a *answer) error {
	seq, err := h.registry.DeleteRepository(ctx, byOperator, r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	return a.item(done{seq})
}

func (h *hub) adminPolicy(ctx context.Context, r *http.Request, a *answer) error {
	policy := events.RepositoryPolicy{SparseIndexes: r.URL.Query().Get("sparse") == "true"}
	seq, err := h.registry.ChangePolicy(ctx, byOperator, r.URL.Query().Get("name"), policy)
	if err != nil {
		return err
	}
	return a.item(done{seq})
}
