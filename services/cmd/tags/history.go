package tags

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type historyCmd struct {
	reference
	Limit int `short:"n" help:"How many of the latest entries to list." default:"50"`
}

func (c *historyCmd) Run(s *console.Session) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.ListFirst(a, path+"/history", client.Paged(), max(1, c.Limit), "", []string{"EVENT", "FROM", "UNTIL", "IMAGE", "BY", "NOW"}, func(t apitypes.TagSpan) []string {
		until, what := "now", t.Digest
		if t.Until != nil {
			until = console.Time(t.Until)
		}
		if t.Hidden {
			until += ", when the image was deleted"
		}
		if t.Deleted {
			what = "none: the tag was deleted"
		}
		return []string{fmt.Sprint(t.Seq), console.Time(&t.From), until, what, t.By, restorable(t.Now)}
	})
}

type rollbackCmd struct {
	reference
	To string `arg:"" optional:"" help:"Digest of the image, or its first characters such as sha256:ab12; without it, the image that the tag named before."`
}

func (c *rollbackCmd) Run(s *console.Session) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	from, to, err := c.find(a, path+"/history")
	if err != nil {
		return err
	}
	message := "Rolled " + c.Ref + " back to " + to
	switch from {
	case to:
		message = c.Ref + " names " + to + " already"
	case "":
	default:
		message += ", from " + from
	}
	return a.Change("POST", path+"/rollback", apitypes.RollbackRequest{To: to, From: from}, message)
}

// find looks through the history of the tag: for what it names now, "" for nothing, and for
// the image that is asked for.
func (c *rollbackCmd) find(a *console.API, history string) (from, to string, err error) {
	enough := errors.New("enough")
	first := true
	err = console.Each(a, history, client.Paged(), func(t apitypes.TagSpan) error {
		if first && !t.Deleted && t.Until == nil {
			from = t.Digest
		}
		first = false
		switch {
		case t.Deleted || c.To != "" && !strings.HasPrefix(t.Digest, c.To) && !strings.HasPrefix(strings.TrimPrefix(t.Digest, "sha256:"), c.To) || c.To == "" && t.Digest == from:
			return nil
		case to == "" && c.To == "":
			to = t.Digest
			return enough
		case to == "":
			to = t.Digest
		case to != t.Digest:
			return fmt.Errorf("%s begins the digests of several images that %s has named: write more of it", c.To, c.Ref)
		}
		return nil
	})
	switch {
	case errors.Is(err, enough):
		return from, to, nil
	case err != nil:
		return "", "", err
	case to == "" && c.To == "":
		return "", "", fmt.Errorf("%s has named no other image before", c.Ref)
	case to == "":
		return "", "", fmt.Errorf("%s has never named an image %s; `hubledger tags history %s` lists those that it has", c.Ref, c.To, c.Ref)
	}
	return from, to, nil
}
