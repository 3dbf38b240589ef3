package registry

import (
	"context"
	"io"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/gc"
)

// Blobs keeps the contents of blobs by their digests. Its errors wrap those of
// package blobs, whose Store keeps them in a directory. It decides nothing: who
// may read a blob, and whether a blob is still needed, is known by leases and
// manifests.
//
// What only some stores can do is found by a type assertion where it is used: a
// content that is a file is sent by sendfile, and VerifyBlobs needs a store that
// can compare its contents with their digests.
type Blobs interface {
	BlobContents
	WholeBlobs
	BlobUploads
	OpenUploads
	gc.Blobs
}

// BlobContents is what is read of complete blobs.
type BlobContents interface {
	// Stat is a blob's size in bytes. Every pull and push asks for it.
	// blobs.ErrNotFound when the blob is not there or known to be damaged.
	Stat(ctx context.Context, d digest.Digest) (size int64, err error)
	// Open opens a blob for reading; the caller closes it. It stays readable when
	// the blob is removed meanwhile. A content that is an *os.File goes to the
	// client by sendfile. Errors are those of Stat.
	Open(ctx context.Context, d digest.Digest) (content io.ReadSeekCloser, size int64, err error)
	// Sync returns when these blobs survive a loss of power.
	Sync(ctx context.Context, ds ...digest.Digest) error
}

// WholeBlobs takes a blob whose digest is known before its content, so that it
// needs no upload of its own.
//
// A claim, here and in BlobUploads, is called when the content is verified and
// before it becomes the blob: it takes the lease that keeps garbage collection
// off the blob. When it fails, there is no blob.
type WholeBlobs interface {
	// Put takes a whole blob. size is -1 when it is not known. When Put fails,
	// nothing stays behind.
	Put(ctx context.Context, d digest.Digest, r io.Reader, size int64, claim func(context.Context) error) (int64, error)
}

// BlobUploads takes the content of a blob in parts. An upload belongs to a
// repository's name: under any other its id means nothing, which is
// blobs.ErrUploadUnknown.
type BlobUploads interface {
	// Begin opens an upload. blobs.ErrNoSpace.
	Begin(ctx context.Context, repository string) (id string, err error)
	// Write adds what r yields to an upload, and returns where it ends then. at is
	// the offset at which the caller believes to go on, or -1; a wrong one is a
	// *blobs.OffsetError. When r fails, what had arrived stays.
	Write(ctx context.Context, repository, id string, at int64, r io.Reader) (end int64, err error)
	// Finish makes an upload the blob of that digest. With blobs.ErrDigestMismatch
	// the upload is gone; with an error of claim it is as it was.
	Finish(ctx context.Context, repository, id string, d digest.Digest, claim func(context.Context) error) (size int64, err error)
}

// OpenUploads is what else clients do with uploads.
type OpenUploads interface {
	// Offset is how many bytes of an upload have arrived. It waits for no Write.
	Offset(ctx context.Context, repository, id string) (int64, error)
	// Cancel ends an upload and removes what had arrived.
	Cancel(ctx context.Context, repository, id string) error
}
