package leases

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
)

// The tables, in words that SQLite and PostgreSQL share. Digests are 32 or 64
// bytes, times microseconds since 1970 UTC.
const schema = `
CREATE TABLE IF NOT EXISTS leases (
	repository TEXT   NOT NULL,
	digest     BYTEA  NOT NULL,
	until      BIGINT NOT NULL,
	PRIMARY KEY (digest, repository)
);
CREATE TABLE IF NOT EXISTS pins (
	id     TEXT   NOT NULL,
	digest BYTEA  NOT NULL,
	until  BIGINT NOT NULL,
	PRIMARY KEY (digest, id)
);
CREATE INDEX IF NOT EXISTS pins_by_id ON pins (id);
CREATE TABLE IF NOT EXISTS leaving (
	digest BYTEA  NOT NULL PRIMARY KEY,
	since  BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS damaged (
	digest  BYTEA  NOT NULL PRIMARY KEY,
	since   BIGINT NOT NULL,
	problem TEXT   NOT NULL
);
`

// pack makes a digest the bytes that stand in the tables. It stands in for
// digest.Validate, which spends microseconds in a regular expression.
func pack(d digest.Digest) ([]byte, error) {
	algorithm, encoded, _ := strings.Cut(string(d), ":")
	raw, err := hex.DecodeString(encoded)
	sized := algorithm == "sha256" && len(raw) == 32 || algorithm == "sha512" && len(raw) == 64
	if err != nil || !sized || strings.ToLower(encoded) != encoded {
		return nil, fmt.Errorf("%w: %.150q", digest.ErrDigestInvalidFormat, string(d))
	}
	return raw, nil
}

func unpack(raw []byte) digest.Digest {
	if len(raw) == 64 {
		return digest.NewDigestFromBytes(digest.SHA512, raw)
	}
	return digest.NewDigestFromBytes(digest.SHA256, raw)
}
