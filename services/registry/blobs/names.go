package blobs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
)

// Every path is built in this file, from parts that were checked in this file.

// ParseDigest accepts a sha256 or sha512 digest in its only spelling (OCI
// image-spec, descriptor, "Digests"); the error is ErrBadDigest.
func ParseDigest(text string) (digest.Digest, error) {
	d := digest.Digest(text)
	return d, checkDigest(d)
}

// checkDigest stands in for digest.Validate, which spends microseconds in a
// regular expression and accepts further algorithms.
func checkDigest(d digest.Digest) error {
	algorithm, encoded, _ := strings.Cut(string(d), ":")
	want := 0
	switch digest.Algorithm(algorithm) {
	case digest.SHA256:
		want = 64
	case digest.SHA512:
		want = 128
	}
	if want == 0 || len(encoded) != want || !isLowerHex(encoded) {
		return fmt.Errorf("%w: %.150q", ErrBadDigest, string(d))
	}
	return nil
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// dirOf and the path functions take digests that were checked.
func (s *Store) dirOf(d digest.Digest) *sharedSync {
	if strings.HasPrefix(string(d), "sha512:") {
		return &s.sha512
	}
	return &s.sha256
}

func encodedOf(d digest.Digest) string { return string(d[len("sha256:"):]) } // both names have six letters

func (s *Store) blobPath(d digest.Digest) string { return s.dirOf(d).path + "/" + encodedOf(d) }

func (s *Store) pendingPath(d digest.Digest) string {
	return s.cfg.Dir + "/pending/" + string(d[:len("sha256")]) + "-" + encodedOf(d)
}

func (s *Store) uploadPath(name string) string { return s.cfg.Dir + "/uploads/" + name }

// uploadName binds an upload to its repository: under another one it does
// not exist. The error is ErrUploadUnknown for what can be no upload's id.
func uploadName(repo, id string) (string, error) {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return "", fmt.Errorf("%w: %.60q", ErrUploadUnknown, id)
	}
	return id + "-" + repoHash(repo), nil
}

func repoHash(repo string) string {
	sum := sha256.Sum256([]byte(repo))
	return hex.EncodeToString(sum[:8])
}
