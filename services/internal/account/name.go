package account

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// ErrName says that a name cannot be given to an account, team or robot account.
var ErrName = errors.New("invalid name")

// nameSyntax is narrower than a component of a repository's name: names that
// look alike, such as a__b and a_b, are not both allowed.
var nameSyntax = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// reserved names belong to the hub's own API, to top-level images, and to actors
// of the log that are not accounts.
var reserved = []string{"users", "auth", "repositories", "namespaces", "library", "anonymous", "operator", "system", "hub", "_"}

const maxNameLength = 40

// CheckName says whether a user or an organization can have that name. ErrName.
func CheckName(s string) error {
	if slices.Contains(reserved, s) {
		return fmt.Errorf("%w: %q is reserved for the hub", ErrName, s)
	}
	return checkName(s, 2)
}

// CheckLocalName says whether a team or a robot account of an organization can
// have that name. ErrName.
func CheckLocalName(s string) error { return checkName(s, 1) }

func checkName(s string, shortest int) error {
	if len(s) < shortest || len(s) > maxNameLength || !nameSyntax.MatchString(s) {
		return fmt.Errorf("%w: a name is %d to %d lower-case letters and digits, with single . _ - between them", ErrName, shortest, maxNameLength)
	}
	return nil
}
