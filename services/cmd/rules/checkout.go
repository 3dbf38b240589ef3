package rules

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/buildrule"
)

// maxCheckout bounds how many files of a checkout are looked at.
const maxCheckout = 100_000

// reportCheckout prints which hooks and autotests of a checkout belong to which rule.
func reportCheckout(s *console.Session, rules []buildrule.Rule, dir string) error {
	files, err := checkoutFiles(dir)
	if err != nil {
		return fmt.Errorf("look for hooks and autotests: %w", err)
	}
	extras, strays := buildrule.ImportCheckout(rules, files)
	for _, e := range extras {
		if len(e.Hooks) > 0 {
			fmt.Fprintf(s.Err, "rule %s: its hooks are %s\n", e.Rule, strings.Join(e.Hooks, ", "))
		}
		if len(e.Tests) > 0 {
			fmt.Fprintf(s.Err, "rule %s: its autotests are %s\n", e.Rule, strings.Join(e.Tests, ", "))
		}
		for _, note := range e.Notes {
			fmt.Fprintf(s.Err, "rule %s: %s\n", e.Rule, note)
		}
	}
	for _, stray := range strays {
		fmt.Fprintln(s.Err, stray)
	}
	return nil
}

// checkoutFiles are the files of a checkout as slash paths, without those of git.
func checkoutFiles(dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			return nil
		case len(files) == maxCheckout:
			return fmt.Errorf("%s has more than %d files", dir, maxCheckout)
		}
		files = append(files, p)
		return nil
	})
	return files, err
}
