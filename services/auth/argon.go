package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// params are those of argon2id.
type params struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// recommended is the second choice of RFC 9106, section 4: 64 MiB and three
// passes in four lanes. On two shared cores one check takes about 70 ms.
var recommended = params{64 << 10, 3, 4}

const saltSize, hashSize = 16, 32

// A phc is a password's hash with the parameters and the salt to check it.
type phc struct {
	params
	salt, hash []byte
}

var unpadded = base64.RawStdEncoding.Strict()

// String is the PHC string format: $argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>.
func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		unpadded.EncodeToString(p.salt), unpadded.EncodeToString(p.hash))
}

var errPHC = errors.New("not an argon2id hash in the PHC format, or one that needs too much memory or time")

// parsePHC reads the one form that String writes, with other parameters too,
// up to 256 MiB, 16 passes and 16 lanes.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(s) > 500 || strings.ContainsAny(s, "\r\n") || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, errPHC
	}
	settings := strings.Split(parts[3], ",")
	if len(settings) != 3 {
		return phc{}, errPHC
	}
	var numbers [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		text, ok := strings.CutPrefix(settings[i], name)
		n, err := strconv.ParseUint(text, 10, 20)
		if !ok || err != nil || n == 0 || text[0] == '0' {
			return phc{}, errPHC
		}
		numbers[i] = n
	}
	m, t, lanes := numbers[0], numbers[1], numbers[2]
	if m > 256<<10 || t > 16 || lanes > 16 || m < 8*lanes {
		return phc{}, errPHC
	}
	p := phc{params: params{uint32(m), uint32(t), uint8(lanes)}}
	var err error
	if p.salt, err = unpadded.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return phc{}, errPHC
	}
	if p.hash, err = unpadded.DecodeString(parts[5]); err != nil || len(p.hash) < 16 || len(p.hash) > 64 {
		return phc{}, errPHC
	}
	return p, nil
}

// A hasher makes and checks hashes, a few at once.
type hasher struct {
	params
	dummy phc
	queue *queue
}

func newHasher(with params) *hasher {
	// No password has this hash: it is random, not derived.
	dummy := phc{with, make([]byte, saltSize), make([]byte, hashSize)}
	rand.Read(dummy.salt)
	rand.Read(dummy.hash)
	return &hasher{params: with, dummy: dummy, queue: newQueue()}
}

// hash makes the hash of a password that a trusted caller has chosen.
func (h *hasher) hash(ctx context.Context, password string) (phc, error) {
	leave, err := h.queue.enter(ctx, trustedCaller)
	if err != nil {
		return phc{}, err
	}
	defer leave()
	p := phc{params: h.params, salt: make([]byte, saltSize)}
	rand.Read(p.salt)
	p.hash = argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, hashSize)
	return p, nil
}

// matches reports whether a hash is that of a password. Without a hash it takes
// as long and returns false.
func (h *hasher) matches(ctx context.Context, c caller, p *phc, password string) (bool, error) {
	leave, err := h.queue.enter(ctx, c)
	if err != nil {
		return false, err
	}
	defer leave()
	known := p != nil
	if !known {
		p = &h.dummy
	}
	got := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.hash)))
	return subtle.ConstantTimeCompare(got, p.hash) == 1 && known, nil
}
