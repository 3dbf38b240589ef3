package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// secretPrefix begins every access token, so that people and scanners of
// leaked secrets know one when they see it.
const secretPrefix = "hlt_"

// secretLength is that of an access token: the prefix and 256 bits in base64url.
const secretLength = len(secretPrefix) + 43

var base64url = base64.RawURLEncoding.Strict()

// newSecret makes an access token.
func newSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return secretPrefix + base64url.EncodeToString(raw)
}

// secretHash is what an access token is known by; not ok when the text has not
// the form of one.
func secretHash(s string) (sum [sha256.Size]byte, ok bool) {
	// The decoder passes over line ends.
	if len(s) != secretLength || !strings.HasPrefix(s, secretPrefix) || strings.ContainsAny(s, "\r\n") {
		return sum, false
	}
	if _, err := base64url.DecodeString(s[len(secretPrefix):]); err != nil {
		return sum, false
	}
	return sha256.Sum256([]byte(s)), true
}
