package repositories

import (
	"errors"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type reposPolicyCmd struct {
	named
	SparseIndexes   *bool    `help:"Accept an index although some of its manifests are missing from the repository." negatable:""`
	ImmutableTags   []string `help:"Pattern (RE2, the whole tag): a matching tag can be pushed once, and neither moved nor deleted. May be repeated; replaces all previous patterns." sep:"none" placeholder:"PATTERN"`
	NoImmutableTags bool     `help:"Remove all patterns: every tag can be moved and deleted."`
}

// Validate is called by kong.
func (c *reposPolicyCmd) Validate() error {
	if c.NoImmutableTags && len(c.ImmutableTags) > 0 {
		return errors.New("give either --immutable-tags or --no-immutable-tags, not both")
	}
	return nil
}

func (c *reposPolicyCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	where := c.path() + "/policy"
	if c.SparseIndexes == nil && len(c.ImmutableTags) == 0 && !c.NoImmutableTags {
		return console.Show(a, where, func(p apitypes.Policy) [][]string {
			sparse := "refused"
			if p.SparseIndexes {
				sparse = "accepted"
			}
			immutable := "none"
			if len(p.ImmutableTags) > 0 {
				immutable = strings.Join(p.ImmutableTags, ", ")
			}
			return [][]string{{"immutable", immutable}, {"sparse", sparse}}
		})
	}
	p, err := console.Get[apitypes.Policy](a, where)
	if err != nil {
		return err
	}
	if c.SparseIndexes != nil {
		p.SparseIndexes = *c.SparseIndexes
	}
	if len(c.ImmutableTags) > 0 {
		p.ImmutableTags = c.ImmutableTags
	}
	if c.NoImmutableTags {
		p.ImmutableTags = []string{}
	}
	return a.Change("PUT", where, p, "Changed the policy of "+c.Name)
}
