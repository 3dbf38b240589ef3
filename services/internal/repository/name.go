// Package repository holds what may be decided about namespaces and
// repositories: their names, and how they come, go and come back.
package repository

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hubledger/services/internal/access"
)

// A Name is a repository's name, taken apart.
type Name struct {
	Namespace string // "library" for a top-level image
	Full      string // as clients write it: "alice/app", or "busybox"
}

// MaxNameLength is the longest full name in bytes. Clients that put a host in
// front stay below 255 together (distribution-spec, "Pulling manifests").
const MaxNameLength = 200

// reserved first components are taken by the hub's own API below /v2/.
var reserved = []string{"users", "auth", "repositories", "namespaces"}

// nameSyntax is the grammar of <name> in the distribution-spec.
var nameSyntax = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// tagSyntax is the grammar of a tag in the distribution-spec.
var tagSyntax = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

var (
	// ErrName says that a name cannot be used.
	ErrName = errors.New("invalid name")
	// ErrUnusable is an ErrName: clients can write the name, but no repository of a
	// hub can have it.
	ErrUnusable = fmt.Errorf("%w", ErrName)
	// ErrTag says that a tag cannot be used.
	ErrTag = errors.New("invalid tag")
)

// ParseName checks a repository name. "library/busybox" and "busybox" are one
// repository, as on Docker Hub.
func ParseName(s string) (Name, error) {
	if len(s) > MaxNameLength {
		return Name{}, fmt.Errorf("%w: a repository name has at most %d characters", ErrUnusable, MaxNameLength)
	}
	if !nameSyntax.MatchString(s) {
		return Name{}, fmt.Errorf("%w: a repository name is lower-case letters and digits, with . _ - between them, in components parted by /", ErrName)
	}
	first, rest, nested := strings.Cut(s, "/")
	if slices.Contains(reserved, first) {
		return Name{}, fmt.Errorf("%w: %q is reserved for the hub's API: use a name that begins with your login name or your organization's", ErrUnusable, first)
	}
	switch {
	case !nested:
		return Name{access.Library, s}, nil
	case first == access.Library && !strings.Contains(rest, "/"):
		return ParseName(rest)
	}
	return Name{first, s}, nil
}

// AsOf parts a tag from a point in time, as in latest.asof.20261101T120000Z. No tag that has
// it can be pushed.
const AsOf = ".asof."

// ValidTag says whether a text has the form of a tag.
func ValidTag(tag string) bool { return tagSyntax.MatchString(tag) }

// CheckTag says whether a tag can be pushed. ErrTag.
func CheckTag(tag string) error {
	if !ValidTag(tag) {
		return fmt.Errorf("%w: a tag is up to 128 letters, digits, _ . and -, and does not begin with . or -", ErrTag)
	}
	if strings.Contains(tag, AsOf) {
		return fmt.Errorf("%w: tags with %q are reserved for time travel", ErrTag, AsOf)
	}
	return nil
}
