package failure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noAnswer are the errors that need no entry in the table, and why.
var noAnswer = map[string]string{
	"access.ErrAccount":            "package auth makes an access.Denied of it",
	"access.ErrCredential":         "package auth makes an access.Denied of it",
	"account.ErrInitialized":       "no client initializes a hub",
	"account.ErrTokenLimit":        "it is an account.ErrInvalid",
	"activity.ErrAnswerTooLarge":   "it is logged, and the answer is sent all the same",
	"activity.ErrDifferentRequest": "package endpoint answers it",
	"activity.ErrInFlight":         "package endpoint answers it",
	"buildcontext.ErrTooLarge":     "builders and the command line show it",
	"egress.ErrForbidden":          "a sweep shows it",
	"gitremote.ErrCredentials":     "a sweep shows it",
	"gitremote.ErrHostKey":         "a sweep shows it",
	"gitremote.ErrNotFound":        "a sweep shows it",
	"gitremote.ErrProtocol":        "a sweep shows it",
	"gitremote.ErrTooManyRefs":     "a sweep shows it",
	"gitremote.ErrURL":             "a request with such a URL is invalid",
	"operations.ErrClosed":         "the server has stopped serving by then",
	"repository.ErrUnusable":       "it is a repository.ErrName",
	"build.ErrReport":              "builders report in messages of their own",
	"process.ErrNotDead":           "no endpoint retries dead letters",
	"eventlog.ErrUnknown":          "who shows an event answers it: the package stands on this one",
}

// An error of a decision without an answer would be a fault of the server to
// clients.
func TestEveryErrorHasAnAnswer(t *testing.T) {
	table, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	unused := map[string]bool{}
	for name := range noAnswer {
		unused[name] = true
	}
	answered := 0
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range errorsOf(file) {
			delete(unused, name)
			switch _, without := noAnswer[name]; {
			case strings.Contains(string(table), "\n\t{Err: "+name+", "):
				answered++
			case !without:
				t.Errorf("%s: %s has no entry in the table", path, name)
			}
		}
	}
	if answered < 20 || len(unused) > 0 {
		t.Errorf("%d errors are in the table; there are no %v", answered, unused)
	}
}

// errorsOf lists the exported errors of a file, as other packages name them.
func errorsOf(file *ast.File) (names []string) {
	if strings.HasSuffix(file.Name.Name, "_test") {
		return nil
	}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, file.Name.Name+"."+name.Name)
				}
			}
		}
	}
	return names
}
