package rules

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/buildrule"
)

type importCmd struct {
	File     string `arg:"" optional:"" default:"-" help:"File with the table, or - for standard input." placeholder:"FILE"`
	Checkout string `help:"Directory with a checkout of the git repository, to say which of its hooks and autotests belong to which rule." type:"existingdir" placeholder:"DIR"`
}

// Run prints the file of rules on standard output, and what is to be said about it
// on standard error.
func (c *importCmd) Run(s *console.Session) error {
	if c.File == "-" && term.IsTerminal(int(os.Stdin.Fd())) {
		fmt.Fprintln(s.Err, "Copy the table of build rules from the repository's page on Docker Hub, paste it here, and end with Ctrl-D:")
	}
	text, err := readText(c.File)
	if err != nil {
		return err
	}
	rules, notes := buildrule.ImportTable(string(text))
	lost := false
	for _, n := range notes {
		lost = lost || n.Lost
		fmt.Fprintf(s.Err, "line %d: %s%s\n", n.Line, console.If(n.Lost, "not taken: "), n.Text)
	}
	if len(rules) == 0 {
		return errors.New("no build rules were found: paste lines such as Branch, main, latest, Dockerfile, /, on, on with tabs or several spaces between, or each in a line of its own")
	}
	problems := buildrule.Validate(rules)
	report(s, problems)
	if c.Checkout != "" {
		if err := reportCheckout(s, rules, c.Checkout); err != nil {
			return err
		}
	}
	if err := printRules(s, rules); err != nil {
		return err
	}
	switch {
	case lost:
		return found("some lines could not be taken")
	case len(problems.Errors()) > 0:
		return found("the rules have errors: correct the file before you use it")
	}
	return nil
}

// printRules prints a file of rules, as YAML or with --json as JSON.
func printRules(s *console.Session, rules []buildrule.Rule) error {
	if s.JSON {
		return s.Print(buildrule.File{Version: buildrule.FileVersion, Rules: rules})
	}
	_, err := s.Out.Write(buildrule.WriteFile(rules))
	return err
}
