// Package readers has the commands on users that follow the log with NATS clients.
package readers

import (
	"cmp"
	"fmt"
	"os"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/durable"
	"hubledger/streams/machines"
)

// NATS has the commands on NATS clients, for administrators of the hub.
type NATS struct {
	Users Users `cmd:"" help:"List, add and revoke users that follow the whole log with a NATS client."`
}

// Users are the commands on users.
type Users struct {
	Add    addCmd    `cmd:"" help:"Let a user read the whole log with a NATS client, and print what to type."`
	Ls     lsCmd     `cmd:"" help:"List the users."`
	Revoke revokeCmd `cmd:"" help:"Revoke a user. It is cut off at once."`
}

type addCmd struct {
	console.Target
	Name   string `arg:"" help:"What to call the user: lower-case letters, digits and hyphens."`
	Key    string `help:"Public half of an NKey that the user has made; without it one is made here." placeholder:"U…"`
	Output string `short:"o" help:"File for the private half of the key that is made. Default: NAME.nk." type:"path" placeholder:"FILE"`
}

func (c *addCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	file, public := "YOUR-KEY.nk", c.Key
	if public == "" {
		file = cmp.Or(c.Output, c.Name+".nk")
		if public, err = makeKey(file); err != nil {
			return err
		}
	}
	err = console.Send(a, "POST", "/nats-users", apitypes.AddReaderRequest{Name: c.Name, Key: public}, func(r apitypes.AddedReader) error {
		_, err := fmt.Fprintf(s.Out, "Added %s, who may read the whole log (event %d).\n", r.Name, r.Seq)
		if err == nil && c.Key == "" {
			_, err = fmt.Fprintf(s.Out, "%s has the private half of the key, which nobody else has.\n", file)
		}
		if err == nil {
			_, err = fmt.Fprintf(s.Out, "To follow the log:\n  nats --server tls://%s --tlsfirst --nkey %s sub --stream %s --direct --all\nAdd --tlsca FILE if the hub has a certificate of its own authority.\n", r.NATS, file, r.Stream)
		}
		return err
	})
	if err != nil && c.Key == "" {
		os.Remove(file) // of a user that is not there
	}
	return err
}

// makeKey writes a new key to a file, which must not be there.
func makeKey(file string) (public string, err error) {
	if _, err := os.Lstat(file); err == nil {
		return "", fmt.Errorf("%s is there already: name another file with -o, or give the public half of its key with --key", file)
	}
	seed, public, err := machines.NewKey()
	if err != nil {
		return "", err
	}
	return public, durable.ReplaceFile(file, append(seed, '\n'), 0o600)
}

type lsCmd struct{ console.Target }

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/nats-users", nil, "No NATS users. Let one read the log: hubledger nats users add NAME",
		[]string{"NAME", "CONNECTED", "SINCE", "BY", "KEY"}, func(r apitypes.Reader) []string {
			connected := "no"
			if r.Connected {
				connected = "yes"
			}
			return []string{r.Name, connected, console.Time(&r.Since), r.By, r.Key}
		})
}

type revokeCmd struct {
	console.Target
	Name string `arg:"" help:"Name of the user, as listed by nats users ls."`
}

func (c *revokeCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("nats-users", c.Name), nil, "Revoked "+c.Name)
}
