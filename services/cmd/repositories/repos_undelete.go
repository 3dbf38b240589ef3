package repositories

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type reposRmCmd struct{ named }

func (c *reposRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.path(), nil, "Deleted "+c.Name+"; `hubledger repos undelete "+c.Name+"` brings it back")
}

type reposUndeleteCmd struct {
	console.Target
	Ref string `arg:"" help:"NAME, NAME:TAG or NAME@DIGEST."`
	ID  string `name:"id" help:"Id of the repository, if several deleted ones had the name; see repos ls --deleted."`
}

func (c *reposUndeleteCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	where := ""
	if name, digest, ok := strings.Cut(c.Ref, "@"); ok {
		where = client.RepositoryPath(name) + client.Path("manifests", digest, "restore")
	} else if name, tag, ok := strings.Cut(c.Ref, ":"); ok {
		where = client.RepositoryPath(name) + client.Path("tags", tag, "restore")
	} else if where, err = c.repository(a); err != nil {
		return err
	}
	return a.Change("POST", where, nil, "Restored "+c.Ref)
}

// repository finds the repository of that name that was deleted last, or the
// one with the given id.
func (c *reposUndeleteCmd) repository(a *console.API) (string, error) {
	namespace, _, ok := strings.Cut(c.Ref, "/")
	if !ok {
		namespace = "library"
	}
	deleted := client.Path("namespaces", namespace, "deleted")
	var found apitypes.Deleted
	err := console.Each(a, deleted, client.Paged(), func(d apitypes.Deleted) error {
		if d.Deleted.IsZero() {
			return errors.New("the hub's answer cannot be read: a deletion has no time")
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
		return "", fmt.Errorf("%s: no repository of that name can be restored; `hubledger repos ls --deleted` lists those that can", c.Ref)
	}
	return deleted + client.Path(found.ID, "restore"), nil
}
