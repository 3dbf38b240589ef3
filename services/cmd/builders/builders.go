// Package builders has the commands on builders, and the one that is a builder.
package builders

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Commands are the commands on builders, for administrators of the hub.
type Commands struct {
	Ls     lsCmd     `cmd:"" help:"List the builders: the hub itself, and other machines."`
	Enroll enrollCmd `cmd:"" help:"Make the one-time token by which another machine becomes a builder, and print what to type there."`
	Revoke revokeCmd `cmd:"" help:"Revoke a builder, or its token. It is cut off at once; what it builds is built elsewhere."`
}

type lsCmd struct{ console.Target }

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/builders", nil, "No builders. The hub builds itself where it listens on loopback only and has what builds need (hubledger builder check); enroll another machine: hubledger builders enroll NAME",
		[]string{"NAME", "STATE", "PLATFORMS", "PLACES", "RUNNING", "HOOKS", "SINCE"}, func(b apitypes.Builder) []string {
			state := b.State
			if b.Expires != nil {
				state += " until " + console.Time(b.Expires)
			}
			places := ""
			if b.Places > 0 {
				places = fmt.Sprint(b.Places)
			}
			hooks := ""
			if b.Hooks {
				hooks = "yes"
			}
			return []string{b.Name, state, strings.Join(b.Platforms, ", "), places, fmt.Sprint(b.Running), hooks, console.Time(b.Since)}
		})
}

type enrollCmd struct {
	console.Target
	Name    string        `arg:"" help:"What to call the builder: lower-case letters, digits and hyphens."`
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
	return console.Send(a, "POST", "/builders", apitypes.InviteBuilderRequest{Name: c.Name, Seconds: int(c.Expires / time.Second)}, func(b apitypes.InvitedBuilder) error {
		_, err := fmt.Fprintf(s.Out, "Invited %s until %s (event %d). On that machine, as root:\n  HUBLEDGER_ENROLL=%s hubledger builder --hub %s\nThe token is shown only once, and works once. Add --ca FILE if the hub has a certificate of its own authority.\n",
			b.Name, console.Time(&b.Expires), b.Seq, b.Token, b.Hub)
		return err
	})
}

type revokeCmd struct {
	console.Target
	Name string `arg:"" help:"Name of the builder, as listed by builders ls."`
}

func (c *revokeCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("builders", c.Name), nil, "Revoked "+c.Name)
}
