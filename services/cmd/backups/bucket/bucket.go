// Package bucket keeps the files of an archive as objects of an S3 bucket, under the names
// that they have in a directory.
package bucket

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Scheme begins the address of a bucket.
const Scheme = "s3://"

var (
	// ErrAddress: an address does not name a bucket that can be reached.
	ErrAddress = errors.New("the address of a bucket is s3://BUCKET/PREFIX, and AWS_ENDPOINT_URL_S3 is the http or https address of a server that is not Amazon's")
	// ErrOther: the bucket has another segment of that name, from an archive that was made at the same time.
	ErrOther = errors.New("another archive is written to the bucket at the same time: run one of them again when the other has ended")
)

// A Bucket is where an archive is kept.
type Bucket struct {
	client *minio.Client
	name   string
	prefix string // "" or ends in a slash
}

// Open reads the address of a bucket. The server, the region and the keys are those of the
// environment, with the names that the AWS tools have for them: AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN; without keys there, those of ~/.aws/credentials or of the machine's
// role. It does not connect. ErrAddress.
func Open(address string) (*Bucket, error) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(address, Scheme), "/")
	if !strings.HasPrefix(address, Scheme) || name == "" {
		return nil, fmt.Errorf("%s: %w", address, ErrAddress)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	server := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%s at %s: %w", address, server, ErrAddress)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Secure: u.Scheme == "https",
		Region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}},
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", address, ErrAddress, err)
	}
	return &Bucket{client, name, prefix}, nil
}

// Bounds of what is fetched.
const (
	maxObjects = 1_000_000
	maxObject  = 1 << 30 // bytes; a segment has 64 MiB of events before it is compressed, or one event more
)

// kept are the names that an archive has.
var kept = regexp.MustCompile(`^(log/[0-9]{12}-[0-9]{12}\.(json|jsonl\.zst)|backup\.json|checkpoint|checkpoint\.vkey)$`)

// Fetch copies the objects of the archive that want says into a directory. Objects that no
// archive has are passed over. progress is called with how many there are so far.
func (b *Bucket) Fetch(ctx context.Context, dir string, want func(name string) bool, progress func(int64)) error {
	n := 0
	ctx, stop := context.WithCancel(ctx)
	defer stop() // ends the listing, too
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if o.Err != nil {
			return b.explain(o.Err)
		}
		name := strings.TrimPrefix(o.Key, b.prefix)
		if !kept.MatchString(name) || !want(name) {
			continue
		}
		if n++; n > maxObjects || o.Size > maxObject {
			return fmt.Errorf("%s%s/%s has %d objects, and %s of %d bytes: this is more than an archive has", Scheme, b.name, b.prefix, n, name, o.Size)
		}
		if err := b.client.FGetObject(ctx, b.name, o.Key, filepath.Join(dir, filepath.FromSlash(name)), minio.GetObjectOptions{}); err != nil {
			return b.explain(err)
		}
		progress(int64(n))
	}
	return ctx.Err()
}

// Put writes the files of an archive in a directory: the segments of which has does not name
// the file that makes them count, and always what changes from archive to archive. A
// segment's events are there before that file, the summary comes behind all segments, and
// what was signed, which the summary has to cover, behind that: an archive that is
// interrupted anywhere is complete as far as it goes. ErrOther.
func (b *Bucket) Put(ctx context.Context, dir string, has map[string]bool, progress func(int64)) error {
	names, err := files(dir)
	if err != nil {
		return err
	}
	for k, name := range names {
		segment, _, _ := strings.Cut(name, ".")
		if strings.HasPrefix(segment, "log/") && has[segment+".json"] {
			continue
		}
		o := minio.PutObjectOptions{PartSize: maxObject, ContentType: "application/octet-stream"}
		if strings.HasPrefix(name, "log/") && strings.HasSuffix(name, ".json") {
			o.SetMatchETagExcept("*") // what says that a segment counts is written once
		}
		if _, err := b.client.FPutObject(ctx, b.name, b.prefix+name, filepath.Join(dir, filepath.FromSlash(name)), o); err != nil {
			if minio.ToErrorResponse(err).Code != minio.PreconditionFailed || !b.same(ctx, dir, name) {
				return b.explain(err)
			}
		}
		progress(int64(k + 1))
	}
	return nil
}

// same says whether the bucket has just that small file: an answer that was lost on its way is
// followed by another attempt, which finds what the first one has written.
func (b *Bucket) same(ctx context.Context, dir, name string) bool {
	own, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return false
	}
	o, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return false
	}
	defer o.Close()
	got, err := io.ReadAll(io.LimitReader(o, int64(len(own))+1))
	return err == nil && bytes.Equal(got, own)
}

// files lists those of an archive in the order in which they are written: the file with the
// events of a segment, the one that says what it is, the summary, and what was signed.
func files(dir string) (list []string, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, "log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries { // in the order of their names
		if base, is := strings.CutSuffix(e.Name(), ".json"); is {
			list = append(list, "log/"+base+".jsonl.zst", "log/"+e.Name())
		}
	}
	for _, name := range []string{"backup.json", "checkpoint.vkey", "checkpoint"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			list = append(list, name)
		}
	}
	return list, nil
}

// explain says of which bucket an error is, and what to do about the usual ones.
func (b *Bucket) explain(err error) error {
	hint := ""
	switch code := minio.ToErrorResponse(err).Code; code {
	case minio.PreconditionFailed:
		return fmt.Errorf("%s%s/%s: %w", Scheme, b.name, b.prefix, ErrOther)
	case minio.NoSuchBucket:
		hint = ": make it first"
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch":
		hint = ": AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be those of an account that may list, read and write there"
	}
	return fmt.Errorf("%s%s/%s at %s: %w%s", Scheme, b.name, b.prefix, b.client.EndpointURL().Host, err, hint)
}
