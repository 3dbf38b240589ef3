// Package totp makes the codes of authenticator apps: one-time passwords by the time
// (RFC 6238) of six digits, by HMAC-SHA-1 and steps of thirty seconds, which is what every
// app understands.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Period is how long a code is shown.
const Period = 30 * time.Second

// KeySize is that of a key in bytes: as many as the hash has (RFC 4226, section 4, R6).
const KeySize = sha1.Size

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewKey makes a key, in base32 as apps take it.
func NewKey() string {
	raw := make([]byte, KeySize)
	rand.Read(raw)
	return base32Text.EncodeToString(raw)
}

// ErrCode: the code is not the one that the authenticator shows, or was used before.
var ErrCode = errors.New("the code is wrong or was used before")

// ErrKey: a text is not the key of an authenticator.
var ErrKey = errors.New("the key is 32 characters of base32: A to Z and 2 to 7")

// ParseKey reads what NewKey wrote, also in small letters and with spaces. ErrKey.
func ParseKey(text string) ([]byte, error) {
	raw, err := base32Text.DecodeString(strings.ToUpper(strings.ReplaceAll(text, " ", "")))
	if err != nil || len(raw) != KeySize || strings.ContainsAny(text, "\r\n") {
		return nil, ErrKey
	}
	return raw, nil
}

// Step is the number of the step that a time is in.
func Step(at time.Time) uint64 { return uint64(max(0, at.Unix())) / uint64(Period/time.Second) }

// Code is the code of a step (RFC 4226, section 5.3).
func Code(key []byte, step uint64) string {
	h := hmac.New(sha1.New, key)
	h.Write(binary.BigEndian.AppendUint64(nil, step))
	sum := h.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// URI is the link that apps take a key by, from a QR code, too: the service and the login
// name are what they show beside the code.
func URI(service, name, key string) string {
	service = strings.ReplaceAll(service, ":", " ") // a colon ends the service's name
	q := url.Values{"secret": {key}, "issuer": {service}}
	// The label is a path, and apps do not read + as a space.
	return "otpauth://totp/" + url.PathEscape(service) + ":" + url.PathEscape(name) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
