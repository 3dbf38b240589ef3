// Package hosts has the commands on hosts, and the one that makes this machine a host.
package hosts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Commands are the commands on hosts, for administrators of the hub.
type Commands struct {
	Ls     lsCmd     `cmd:"" help:"List the hosts on which applications run."`
	Enroll enrollCmd `cmd:"" help:"Create the one-time token that enrolls a machine as a host, and print what to type there."`
	Revoke revokeCmd `cmd:"" help:"Revoke a host, or its token. It is cut off at once; its containers go on until somebody stops them there."`
}

type lsCmd struct{ console.Target }

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/hosts", nil, "No hosts. Enroll a machine with Docker on it: hubledger hosts enroll NAME",
		[]string{"NAME", "STATE", "FOR", "ENGINE", "FREE", "SLOTS", "SEEN"}, func(h apitypes.Host) []string {
			state := h.State
			if h.Expires != nil {
				state += " until " + console.Time(h.Expires)
			}
			engine, free := h.Engine, ""
			if h.EngineError != "" {
				engine = "no answer: " + h.EngineError
			}
			if h.Free > 0 {
				free = humanize.IBytes(uint64(h.Free))
			}
			whose := strings.Join(h.Namespaces, ", ")
			if whose == "" {
				whose = "all"
			}
			return []string{h.Name, state, whose, engine, free, fmt.Sprint(h.Slots), console.Time(h.Seen)}
		})
}

type enrollCmd struct {
	console.Target
	Name    string        `arg:"" help:"What to call the host: lower-case letters, digits and hyphens."`
	For     []string      `name:"for" help:"Users and organizations whose applications it may run, with commas between them; default: all." placeholder:"NAMESPACE"`
	Expires time.Duration `help:"How long the token can be used." default:"1h" placeholder:"DURATION"`
}

// Validate is called by kong.
func (c *enrollCmd) Validate() error {
	if c.Expires < time.Minute || c.Expires > 7*24*time.Hour {
		return errors.New("--expires must be between 1m and 168h")
	}
	return nil
}

func (c *enrollCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", "/hosts", apitypes.InviteHostRequest{Name: c.Name, Namespaces: c.For, Seconds: int(c.Expires / time.Second)}, func(h apitypes.InvitedHost) error {
		_, err := fmt.Fprintf(s.Out, "Invited %s until %s (event %d). On that machine, as somebody who may use its Docker:\n  HUBLEDGER_ENROLL=%s hubledger agent --hub %s --data ./hubledger-agent\nThe token is shown only once, and works once. Add --ca FILE if the hub has a certificate of its own authority.\n",
			h.Name, console.Time(&h.Expires), h.Seq, h.Token, h.Hub)
		return err
	})
}

type revokeCmd struct {
	console.Target
	Name string `arg:"" help:"Name of the host, as listed by hosts ls."`
}

func (c *revokeCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("hosts", c.Name), nil, "Revoked "+c.Name)
}
