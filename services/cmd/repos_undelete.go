package cmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"hubledger/services/internal/apitypes"
)

type reposRmCmd struct{ named }

func (c *reposRmCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", c.path(), nil, "Deleted "+c.Name+"; `repos undelete "+c.Name+"` brings it back")
}

// deleted prints the deleted repositories of the namespace that was named, else
// of the caller's own, or for the operator of all namespaces.
func (c *reposLsCmd) deleted(a *api) error {
	where, of := "/deleted", ""
	if namespace := cmp.Or(c.Namespace, a.User); namespace != "" {
		where, of = path("namespaces", namespace, "deleted"), " of "+namespace
	}
	return list(a, where, paged(), "Nothing"+of+" can be brought back.",
		[]string{"NAME", "DELETED", "RESTORABLE UNTIL", "ID"}, func(d apitypes.Deleted) []string {
			return []string{d.Name, at(&d.Deleted), at(&d.Until), d.ID}
		})
}

type reposUndeleteCmd struct {
	target
	Ref string `arg:"" help:"NAME, NAME:TAG or NAME@DIGEST."`
	ID  string `name:"id" help:"Id of the repository, if several deleted ones had the name; see repos ls --deleted."`
}

func (c *reposUndeleteCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	where := ""
	if name, digest, ok := strings.Cut(c.Ref, "@"); ok {
		where = repositoryPath(name) + path("manifests", digest, "restore")
	} else if name, tag, ok := strings.Cut(c.Ref, ":"); ok {
		where = repositoryPath(name) + path("tags", tag, "restore")
	} else if where, err = c.repository(a); err != nil {
		return err
	}
	return a.change("POST", where, nil, "Restored "+c.Ref)
}

// repository finds the repository of that name that was deleted last, or the
// one with the given id.
func (c *reposUndeleteCmd) repository(a *api) (string, error) {
	namespace, _, ok := strings.Cut(c.Ref, "/")
	if !ok {
		namespace = "library"
	}
	deleted := path("namespaces", namespace, "deleted")
	var found apitypes.Deleted
	err := a.each(deleted, paged(), func(raw json.RawMessage) error {
		var d apitypes.Deleted
		if err := json.Unmarshal(raw, &d); err != nil || d.Deleted.IsZero() {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		if d.Name == c.Ref && (c.ID == "" || d.ID == c.ID) && d.Deleted.After(found.Deleted) {
			found = d
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if found.ID == "" {
		return "", fmt.Errorf("%s: no repository of that name can be restored; `repos ls --deleted` lists those that can", c.Ref)
	}
	return deleted + path(found.ID, "restore"), nil
}
