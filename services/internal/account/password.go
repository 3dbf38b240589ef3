package account

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Lengths of passwords, in characters.
const (
	MinPassword = 8
	MaxPassword = 256
)

// TokenPrefix begins every access token, so that people and scanners of leaked
// secrets recognize one.
const TokenPrefix = "hlt_"

// CheckPassword says whether a password may be that of a user of this login
// name. The error wraps ErrInvalid and is for the person who chose it.
func CheckPassword(name, password string) error {
	n := utf8.RuneCountInString(password)
	why := ""
	switch {
	case !utf8.ValidString(password):
		why = "a password is UTF-8 text"
	case n < MinPassword || n > MaxPassword:
		why = fmt.Sprintf("a password has %d to %d characters", MinPassword, MaxPassword)
	case strings.EqualFold(password, name):
		why = "a password is not the login name"
	case strings.HasPrefix(password, TokenPrefix):
		why = "a password does not begin with " + TokenPrefix + ", as access tokens do"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, why)
}
