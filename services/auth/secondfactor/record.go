// Package secondfactor has what a hub keeps to ask a person for a second factor: the key of
// their authenticator app, which of its codes was used last, and recovery codes. Nothing
// here knows where it is kept.
package secondfactor

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"hubledger/services/internal/totp"
)

// A Record is the second factor of one person. It changes with every code that is used, so
// whoever keeps it stores it only over the one that was read: then of two uses of a code one counts.
type Record struct {
	Key []byte `json:"key"`
	// Used is the step of the latest code that was used. No earlier one is good any more.
	Used uint64 `json:"used"`
	// Recovery are the SHA-256 of the recovery codes that are left. They are 80 random bits,
	// so a slow hash adds nothing.
	Recovery [][]byte `json:"recovery"`
}

// recoveryCodes is how many recovery codes a person gets.
const recoveryCodes = 10

// New makes a record of a key, when code is one of its codes now: so the authenticator has
// it. codes are the recovery codes, which are shown once. totp.ErrCode, totp.ErrKey.
func New(key, code string, now time.Time) (r *Record, codes []string, err error) {
	raw, err := totp.ParseKey(key)
	if err != nil {
		return nil, nil, err
	}
	r = &Record{Key: raw}
	if !r.useTime(plain(code), now) {
		return nil, nil, totp.ErrCode
	}
	return r, r.newRecovery(), nil
}

// Renewed is a record of the same key with other recovery codes, which are shown once. The
// codes of the time until now are used up for it.
func (r *Record) Renewed(now time.Time) (*Record, []string) {
	next := &Record{Key: r.Key, Used: max(r.Used, totp.Step(now))}
	return next, next.newRecovery()
}

func (r *Record) newRecovery() (codes []string) {
	for range recoveryCodes {
		code := newRecoveryCode()
		codes = append(codes, code)
		r.Recovery = append(r.Recovery, hashOf(plain(code)))
	}
	return codes
}

// Use says whether a code is good, and if so it is used up: it has to be stored before
// anything rests on it.
func (r *Record) Use(code string, now time.Time) bool {
	code = plain(code)
	return r.useTime(code, now) || r.useRecovery(code)
}

// useTime takes the code of the step now, or of one before or after it: clocks differ, and
// people type slowly.
func (r *Record) useTime(code string, now time.Time) bool {
	at := totp.Step(now)
	var good uint64
	for _, step := range []uint64{max(at, 1) - 1, at, at + 1} {
		if step > r.Used && subtle.ConstantTimeCompare([]byte(totp.Code(r.Key, step)), []byte(code)) == 1 {
			good = step
		}
	}
	if good == 0 {
		return false
	}
	r.Used = good
	return true
}

func (r *Record) useRecovery(code string) bool {
	if !IsRecovery(code) {
		return false
	}
	sum := hashOf(plain(code))
	k := slices.IndexFunc(r.Recovery, func(one []byte) bool { return subtle.ConstantTimeCompare(one, sum) == 1 })
	if k < 0 {
		return false
	}
	r.Recovery = slices.Delete(r.Recovery, k, k+1)
	return true
}

const recoveryLength = 16 // characters of base32: 80 bits

// IsRecovery says whether a text has the form of a recovery code, which nobody guesses.
func IsRecovery(code string) bool { return len(plain(code)) == recoveryLength }

func newRecoveryCode() string {
	raw := make([]byte, recoveryLength*5/8)
	rand.Read(raw)
	text := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// plain is a code without what people put between its characters.
func plain(code string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
}

func hashOf(code string) []byte {
	sum := sha256.Sum256([]byte(code))
	return sum[:]
}
