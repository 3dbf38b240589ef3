package cmd

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// prefix begins the names of all variables that set something.
const prefix = "HUBLEDGER_"

// otherVariables are those that are no flag's: the first password, and what the
// compose file and the tests read.
var otherVariables = []string{"HUBLEDGER_ADMIN_PASSWORD", "HUBLEDGER_IMAGE", "HUBLEDGER_IMAGES", "HUBLEDGER_PROCESSTEST_DIR", "HUBLEDGER_REPOS",
	"HUBLEDGER_REQUIRE", "HUBLEDGER_SOAK", "HUBLEDGER_TEST_KILL"}

// unsetEmpty makes empty variables be as those that are not set: Compose files and unit files
// pass on what nobody has set as empty.
func unsetEmpty(environment []string) {
	for _, variable := range environment {
		if name, value, _ := strings.Cut(variable, "="); value == "" && strings.HasPrefix(name, prefix) {
			os.Unsetenv(name)
		}
	}
}

// variables are all that may set something, of every command.
func variables(model *kong.Application) []string {
	known := slices.Clone(otherVariables)
	kong.Visit(model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known = append(known, flag.Envs...)
		}
		return next(nil)
	})
	slices.Sort(known)
	return slices.Compact(known)
}

// unknownVariables warns of variables of the environment that set nothing, with
// the nearest that would. They are no errors, because an orchestrator may have
// added them: Kubernetes adds HUBLEDGER_PORT and others for a service of that name.
func unknownVariables(environment, known []string) (warnings []string) {
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(known, name) || ofKubernetes(name) {
			continue
		}
		nearest := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
		warning := name + " is no setting and has no effect"
		if distance(name, nearest) <= 4 {
			warning += fmt.Sprintf("; did you mean %s?", nearest)
		} else {
			warning += "; `hubledger serve --help` lists the settings"
		}
		warnings = append(warnings, warning)
	}
	slices.Sort(warnings)
	return warnings
}

// ofKubernetes says whether Kubernetes makes such a variable for a service named
// hubledger.
func ofKubernetes(name string) bool {
	rest := strings.TrimPrefix(name, prefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_HOST") || strings.HasPrefix(rest, "SERVICE_PORT")
}

// distance is how many letters have to be changed, added or removed to make b of
// a (Levenshtein). Names of variables are short.
func distance(a, b string) int {
	a = a[:min(len(a), 100)]
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
