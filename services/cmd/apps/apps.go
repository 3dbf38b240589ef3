// Package apps has the commands on applications and their releases.
package apps

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/compose"
)

// Commands are the commands on applications.
type Commands struct {
	Ls           lsCmd            `cmd:"" help:"List applications, of one namespace or of all that you have a part in."`
	Check        checkCmd         `cmd:"" help:"Check a Compose file: list its services, or why it is refused."`
	Create       createCmd        `cmd:"" help:"Create an application from a Compose file."`
	Show         showCmd          `cmd:"" help:"Show an application with its services and environments."`
	Set          setCmd           `cmd:"" help:"Change the Compose file of an application, or how many releases keep their images."`
	Rm           rmCmd            `cmd:"" help:"Delete an application. Its secrets are destroyed."`
	Environments environmentsCmds `cmd:"" help:"Add and remove the environments of an application."`
	Config       configCmds       `cmd:"" help:"List, set and remove values of an environment's configuration."`
	Secret       secretCmds       `cmd:"" help:"List, set and remove secrets of an environment."`
	Hosts        hostsCmds        `cmd:"" help:"Show and set the hosts of an environment."`
	Policy       policyCmds       `cmd:"" help:"Show and set how an environment is deployed to."`
	Ps           psCmd            `cmd:"" help:"List the containers of an environment."`
	Logs         logsCmd          `cmd:"" help:"Show what containers of an environment write, with secrets masked."`
	Inspect      inspectCmd       `cmd:"" help:"Show the settings and the state of a container. Values of its environment are not shown."`
	Top          topCmd           `cmd:"" help:"List the processes of a container."`
}

// named is the argument of commands on one application.
type named struct {
	console.Target
	App string `arg:"" help:"Full name, such as acme/shop."`
}

// open is the hub and the application's path in its API, with more behind it.
func (n named) open(s *console.Session, more ...string) (*console.API, string, error) {
	namespace, name, ok := strings.Cut(n.App, "/")
	if !ok {
		return nil, "", fmt.Errorf("%q names no application: write NAMESPACE/NAME, such as acme/shop", n.App)
	}
	a, err := n.API(s)
	return a, client.Path(append([]string{"apps", namespace, name}, more...)...), err
}

// readCompose reads a Compose file; - is standard input.
func readCompose(file string) (string, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, compose.MaxBytes+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	if len(text) > compose.MaxBytes {
		return "", fmt.Errorf("%s has more than %d bytes, which no Compose file of an application may have", file, compose.MaxBytes)
	}
	return string(text), nil
}

type lsCmd struct {
	console.Target
	Namespace string `arg:"" optional:"" help:"A user or an organization; without it, all that you have a part in."`
}

func (c *lsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	path, of := client.Path("apps"), "NAMESPACE"
	if c.Namespace != "" {
		path, of = client.Path("apps", c.Namespace), c.Namespace
	}
	return console.List(a, path, client.Paged(), "No applications. Make one: hubledger apps create "+of+"/NAME compose.yaml",
		[]string{"NAME", "RELEASE", "CHANGED", "BY"}, func(v apitypes.Application) []string {
			return []string{v.Name, number(v.Latest), console.Time(v.Changed), v.ChangedBy}
		})
}

// number is that of a release, "-" for none.
func number(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

type checkCmd struct {
	console.Target
	File string `arg:"" help:"The Compose file; - is standard input."`
}

func (c *checkCmd) Run(s *console.Session) error {
	text, err := readCompose(c.File)
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	var refused int
	err = console.Send(a, "POST", "/compose/check", apitypes.CheckComposeRequest{Compose: text}, func(v apitypes.CheckedCompose) error {
		for _, p := range v.Problems {
			fmt.Fprintln(s.Out, compose.Problem{Path: p.Path, Line: p.Line, Text: p.Text}.Error())
		}
		if refused = len(v.Problems); refused > 0 {
			return nil
		}
		if err := s.Table([]string{"SERVICE", "ROLE", "IMAGE"}, serviceRows(v.Services)); err != nil {
			return err
		}
		if len(v.Missing) > 0 {
			fmt.Fprintf(s.Out, "Each environment has to set %s.\n", strings.Join(v.Missing, ", "))
		}
		return nil
	})
	if err == nil && refused > 0 {
		return fmt.Errorf("%s is refused", c.File)
	}
	return err
}

func serviceRows(list []apitypes.AppService) (rows [][]string) {
	for _, v := range list {
		rows = append(rows, []string{v.Name, v.Role, v.Image})
	}
	return rows
}

type createCmd struct {
	named
	File         string   `arg:"" help:"The Compose file; - is standard input."`
	Environments []string `name:"environment" help:"Environment to make with it; may be repeated." default:"production" placeholder:"NAME"`
	Keep         int      `help:"How many of the latest releases keep their images." placeholder:"N"`
}

func (c *createCmd) Run(s *console.Session) error {
	text, err := readCompose(c.File)
	if err != nil {
		return err
	}
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(c.App, "/")
	err = console.Send(a, "POST", client.Path("apps", namespace), apitypes.CreateApplicationRequest{Name: name, Compose: text, Keep: c.Keep}, func(v apitypes.Application) error {
		_, err := fmt.Fprintf(s.Out, "Created the application %s (event %d).\n", v.Name, v.Seq)
		return err
	})
	for _, e := range c.Environments {
		if err == nil {
			err = a.Change("PUT", path+client.Path("environments", e), nil, "Created the environment "+e)
		}
	}
	return err
}

type showCmd struct{ named }

func (c *showCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.Application) error {
		latest := "none yet"
		if v.Latest > 0 {
			latest = strconv.Itoa(v.Latest)
		}
		err := s.Facts([][]string{{"name", v.Name}, {"keep", fmt.Sprintf("the images of the latest %d releases", v.Keep)}, {"release", latest}, {"compose", v.Digest},
			{"changed", fmt.Sprintf("%s by %s", console.Time(v.Changed), v.ChangedBy)}})
		if err == nil {
			fmt.Fprintln(s.Out)
			err = s.Table([]string{"SERVICE", "ROLE", "IMAGE"}, serviceRows(v.Services))
		}
		if err != nil || len(v.Environments) == 0 {
			return err
		}
		fmt.Fprintln(s.Out)
		var rows [][]string
		for _, e := range v.Environments {
			state := "ready"
			if len(e.Missing) > 0 {
				state = "does not set " + strings.Join(e.Missing, ", ")
			}
			if len(e.Problems) > 0 {
				state = strings.Join(e.Problems, "; ")
			}
			rows = append(rows, []string{e.Name, cmp.Or(number(e.Version), "-"), state})
		}
		return s.Table([]string{"ENVIRONMENT", "CONFIGURATION", "STATE"}, rows)
	})
}

type setCmd struct {
	named
	Compose string  `help:"The new Compose file; - is standard input." placeholder:"FILE"`
	Keep    *int    `help:"How many of the latest releases keep their images, 1 to 100." placeholder:"N"`
	Seq     *uint64 `help:"Change it only if its latest change still is this event." placeholder:"SEQ"`
}

func (c *setCmd) Run(s *console.Session) error {
	var want apitypes.ChangeApplicationRequest
	if c.Compose != "" {
		text, err := readCompose(c.Compose)
		if err != nil {
			return err
		}
		want.Compose = &text
	}
	want.Keep = c.Keep
	if want == (apitypes.ChangeApplicationRequest{}) {
		return fmt.Errorf("nothing to change: give --compose or --keep")
	}
	want.Seq = c.Seq
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return console.Send(a, "PATCH", path, want, func(v apitypes.Application) error {
		_, err := fmt.Fprintf(s.Out, "Changed %s (event %d).\n", v.Name, v.Seq)
		return err
	})
}

type rmCmd struct{ named }

func (c *rmCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", path, nil, "Deleted the application "+c.App)
}

type environmentsCmds struct {
	Add addEnvironmentCmd `cmd:"" help:"Add an environment."`
	Rm  rmEnvironmentCmd  `cmd:"" help:"Remove an environment. Its secrets are destroyed."`
}

// placed is the argument of commands on one environment.
type placed struct {
	named
	Environment string `arg:"" help:"Name of the environment, such as production."`
}

func (c placed) open(s *console.Session, more ...string) (*console.API, string, error) {
	return c.named.open(s, append([]string{"environments", c.Environment}, more...)...)
}

type addEnvironmentCmd struct{ placed }

func (c *addEnvironmentCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return a.Change("PUT", path, nil, "Created the environment "+c.Environment)
}

type rmEnvironmentCmd struct{ placed }

func (c *rmEnvironmentCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", path, nil, "Deleted the environment "+c.Environment)
}
