package projectiontest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"hubledger/events"
)

// Images is a Source of that many distinct pushes by tag, made as they are
// read: four blobs each, two of them shared by all images of a repository, in
// 1,000 repositories of one namespace, about 1.3 KB of data each.
type Images int

// LastSeq implements projections.Source.
func (n Images) LastSeq(context.Context) (uint64, error) { return uint64(n), nil }

// Follow implements projections.Source.
func (n Images) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	for seq := after + 1; seq <= uint64(n); {
		var batch []events.Event
		for ; len(batch) < max && seq <= uint64(n); seq++ {
			batch = append(batch, Image(seq))
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

const imageManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
	`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%x","size":1471},"layers":[` +
	`{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%x","size":29126484},` +
	`{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%x","size":4417632},` +
	`{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%x","size":1024}]}`

// Image is the push with that sequence.
func Image(seq uint64) events.Event {
	repo := seq % 1000
	blob := func(kind, n uint64) []byte {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], kind)
		binary.BigEndian.PutUint64(b[8:], n)
		sum := sha256.Sum256(b[:])
		return sum[:]
	}
	manifest := fmt.Sprintf(imageManifest, blob(1, seq), blob(2, repo), blob(3, repo), blob(4, seq))
	digest := sha256.Sum256([]byte(manifest))
	namespace, repository := sortedID(0), sortedID(repo)
	tag := fmt.Sprintf("v1.%d", seq/1000)
	var b strings.Builder
	fmt.Fprintf(&b, `{"namespace":"%s","repository":"%s","tag":"%s","digest":"sha256:%s",`, namespace, repository, tag, hex.EncodeToString(digest[:]))
	b.WriteString(`"mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"os":"linux","architecture":"amd64"},`)
	b.WriteString(`"created":"2026-11-22T10:00:00Z","manifest":"`)
	b.WriteString(base64.StdEncoding.EncodeToString([]byte(manifest)))
	b.WriteString(`"}`)
	e := Envelope(events.Event{Subject: events.TagSubject(namespace, repository, tag), Data: []byte(b.String())}, "image.pushed.v1")
	e.Seq = seq
	return e
}

// sortedID is a UUIDv7 as repositories created at different times have it.
func sortedID(n uint64) string {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	binary.BigEndian.PutUint32(id[0:], uint32(n))
	binary.BigEndian.PutUint64(id[8:], n*0x9e3779b97f4a7c15)
	id[8] = 0x80 | id[8]&0x3f
	return id.String()
}
