package activity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A replayKey is what an Idempotency-Key becomes: a name to store an answer
// under, and the key that seals it. The one does not lead to the other.
type replayKey struct {
	id    []byte
	owner []byte // the same for all keys of a principal
	aead  cipher.AEAD
	mac   []byte
}

func newReplayKey(principal, key string) replayKey {
	secret := fmt.Appendf(nil, "%d:%s%s", len(principal), principal, key)
	from := func(secret []byte, info string) []byte {
		out, err := hkdf.Key(sha256.New, secret, nil, "hubledger idempotency: "+info, sha256.Size)
		if err != nil {
			panic(err) // SHA-256 gives up to 8160 bytes
		}
		return out
	}
	derive := func(info string) []byte { return from(secret, info) }
	block, err := aes.NewCipher(derive("answer"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return replayKey{derive("id"), from([]byte(principal), "owner"), aead, derive("request")}
}

// requestHash hides a request that may hold a password, too.
func (k replayKey) requestHash(request []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(request)
	return h.Sum(nil)
}

func (k replayKey) seal(plain []byte) []byte {
	return k.aead.Seal(nil, nil, plain, k.id)
}

func (k replayKey) open(sealed []byte) ([]byte, error) {
	plain, err := k.aead.Open(nil, nil, sealed, k.id)
	if err != nil {
		return nil, errors.New("the stored answer was changed")
	}
	return plain, nil
}
