package repository

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// MaxProgram bounds the patterns of one list together, in instructions of the
// programs that they are compiled to. To match a tag of 128 bytes takes at most
// about so many steps for each byte: some milliseconds. 50 patterns like
// v[0-9]+\.[0-9]+\.[0-9]+ have 600.
const MaxProgram = 2000

// checkPatterns says what is wrong with a list of patterns. ErrSettings.
func checkPatterns(setting, what string, patterns []string) error {
	if len(patterns) > MaxPatterns {
		return invalid(setting, "there are at most %d patterns of %s", MaxPatterns, what)
	}
	size := 0
	for _, p := range patterns {
		if len(p) == 0 || len(p) > MaxPatternLength {
			return invalid(setting, "a pattern of %s has 1 to %d bytes", what, MaxPatternLength)
		}
		tree, err := syntax.Parse(p, syntax.Perl)
		if err != nil {
			return invalid(setting, "pattern %q of %s: %v", p, what, err)
		}
		if size += ProgramSize(tree); size > MaxProgram {
			return invalid(setting, "pattern %q of %s repeats too much: all of them together have at most %d steps, and x{100} has 100", p, what, MaxProgram)
		}
		if _, err := whole(p); err != nil { // such as \Q without its end
			return invalid(setting, "pattern %q of %s: %v", p, what, err)
		}
	}
	return nil
}

// ProgramSize is about how many instructions a pattern is compiled to, found
// without compiling it: repetitions are written out there, also nested ones. It
// does not exceed math.MaxInt32.
func ProgramSize(t *syntax.Regexp) int {
	size := 0
	for _, sub := range t.Sub {
		size += ProgramSize(sub)
	}
	switch t.Op {
	case syntax.OpLiteral:
		size = len(t.Rune)
	case syntax.OpRepeat:
		times := t.Max
		if times < 0 {
			times = t.Min + 1
		}
		size = max(1, times) * (size + 1)
	case syntax.OpAlternate, syntax.OpCapture:
		size += len(t.Sub) + 1
	default:
		size++
	}
	return min(size, math.MaxInt32)
}

// whole compiles a pattern so that it has to match a whole tag.
func whole(pattern string) (*regexp.Regexp, error) { return regexp.Compile(`\A(?:` + pattern + `)\z`) }

// A TagSet holds the tags that at least one of its patterns matches as a whole.
type TagSet struct {
	patterns []*regexp.Regexp
	size     int // of their programs together
}

// everyTag is the set of patterns that were taken before they had a bound, and are
// too large to be matched. They protect tags, so that every tag is protected.
var everyTag = &TagSet{}

// TagsMatching makes a TagSet of RE2 patterns that CheckPolicy has accepted.
// Patterns that cannot be compiled match nothing.
func TagsMatching(patterns []string) *TagSet { return compiled.of(patterns) }

// Has says whether the tag is in the set.
func (s *TagSet) Has(tag string) bool {
	switch s {
	case nil:
		return false
	case everyTag:
		return true
	}
	for _, re := range s.patterns {
		if re.MatchString(tag) {
			return true
		}
	}
	return false
}

func compile(patterns []string) *TagSet {
	s := &TagSet{}
	for _, p := range patterns {
		tree, err := syntax.Parse(p, syntax.Perl)
		if err != nil {
			continue
		}
		if s.size += ProgramSize(tree); s.size > MaxProgram {
			return everyTag
		}
		if re, err := whole(p); err == nil {
			s.patterns = append(s.patterns, re)
		}
	}
	return s
}

// compiled keeps what lists of patterns are compiled to: it is a function of
// their text alone, and asked for with every push and deletion.
var compiled = sets{max: 100 * MaxProgram}

// sets are compiled lists of patterns by their text. What does not fit any more
// takes the place of all the others.
type sets struct {
	max   int // of the programs together, in instructions
	mu    sync.Mutex
	size  int
	known map[string]*TagSet
}

func (c *sets) of(patterns []string) *TagSet {
	if len(patterns) == 0 {
		return &TagSet{}
	}
	key := strings.Join(patterns, "\x00")
	c.mu.Lock()
	s := c.known[key]
	c.mu.Unlock()
	if s != nil {
		return s
	}
	s = compile(patterns)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += s.size + len(patterns); c.known == nil || c.size > c.max {
		c.known, c.size = map[string]*TagSet{}, s.size+len(patterns)
	}
	c.known[key] = s
	return s
}
