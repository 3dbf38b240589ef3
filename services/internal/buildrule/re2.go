package buildrule

import (
	"regexp"
	"regexp/syntax"
)

const twoRules = "match more, or make two rules: one for each case"

// unknownToRE2 is what other engines have and RE2 leaves out, by how it begins.
var unknownToRE2 = []struct {
	begins   *regexp.Regexp
	why, fix string
}{
	{regexp.MustCompile(`^\(\?(=|!)`), "lookahead is not known to RE2, which reads a name once, without looking ahead", twoRules},
	{regexp.MustCompile(`^\(\?<(=|!)`), "lookbehind is not known to RE2, which reads a name once, without looking back", twoRules},
	{regexp.MustCompile(`^\(\?>`), "atomic groups are not known to RE2, which never backtracks", "write (?: instead of (?>"},
	{regexp.MustCompile(`^\(\?#`), "comments are not known to RE2", "leave it out"},
	{regexp.MustCompile(`^\(\?\(`), "conditions are not known to RE2", twoRules},
	{regexp.MustCompile(`^\(\?(R|&|P>|[0-9+-][0-9]*\))`), "recursion is not known to RE2", "write the group out"},
	{regexp.MustCompile(`^\(\?\|`), "groups that share a number are not known to RE2", twoRules},
	{regexp.MustCompile(`^\(\?P=`), "backreferences are not known to RE2", twoRules},
	{regexp.MustCompile(`^\\([1-9]|k|g)`), "backreferences are not known to RE2", twoRules},
	{regexp.MustCompile(`^\\Z`), `\Z is not known to RE2`, `write $ or \z for the end`},
	{regexp.MustCompile(`^\\[KGRXhHVNoux]`), "this escape is not known to RE2", "write the characters themselves, or a class such as [0-9a-f]"},
	{regexp.MustCompile(`^\(\?['a-zA-Z]`), "this kind of group or flag is not known to RE2", "write ( for a group, (?: for one without a number, (?i) for either case"},
}

// plainReasons are why and fix for what is wrong in every engine.
var plainReasons = map[syntax.ErrorCode][2]string{
	syntax.ErrMissingParen:          {"this ( is never closed", `write ) behind it, or \( for the character`},
	syntax.ErrUnexpectedParen:       {"this ) closes nothing", `write ( before it, or \) for the character`},
	syntax.ErrMissingBracket:        {"this [ is never closed", `write ] behind it, or \[ for the character`},
	syntax.ErrMissingRepeatArgument: {"there is nothing to repeat", `write .* for any characters, or a backslash in front for the character itself`},
	syntax.ErrInvalidRepeatSize:     {"this count is too large or the wrong way round, or counts inside each other make more than 1000", "counts go from 0 to 1000, the smaller one first; use + or * instead of large ones"},
	syntax.ErrInvalidCharRange:      {"this range or class does not exist", "write the smaller character first, such as [a-z]"},
	syntax.ErrInvalidCharClass:      {"this class does not exist", "write a class such as [0-9]"},
	syntax.ErrInvalidEscape:         {"this escape does not exist", "leave the backslash out before letters"},
	syntax.ErrInvalidNamedCapture:   {"a group's name is letters, digits and _, used once", "write (?P<name>…), or ( without a name"},
	syntax.ErrInvalidPerlOp:         {"this kind of group is not known to RE2", "write ( for a group, (?: for one without a number"},
	syntax.ErrTrailingBackslash:     {"a backslash at the end stands for nothing", `write \\ for the character`},
	syntax.ErrInvalidUTF8:           {"this is no UTF-8", "save the rules as UTF-8"},
	syntax.ErrLarge:                 {"the pattern is too large when its counts are written out", "use + or * instead of large counts"},
	syntax.ErrNestingDepth:          {"groups are nested too deeply", "use fewer groups"},
}
