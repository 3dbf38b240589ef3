package blobs

import (
	"errors"
	"fmt"
)

// These are the errors of every store that keeps blobs, whatever it keeps them
// in.
var (
	ErrNotFound       = errors.New("no such blob")
	ErrUploadUnknown  = errors.New("no such upload")
	ErrDigestMismatch = errors.New("the content does not have the given digest")
	ErrSizeMismatch   = errors.New("the content does not have the given size")
	ErrBadDigest      = errors.New("not a sha256 or sha512 digest")
	ErrTooLarge       = errors.New("the blob is larger than allowed")
	ErrNoSpace        = errors.New("no space left for uploads")
	ErrClosed         = errors.New("the blob store is closed")
	// ErrDamaged is an ErrNotFound: a blob that is known to be damaged reads
	// as absent, so that clients push it again, which repairs it.
	ErrDamaged = fmt.Errorf("%w: its file is damaged", ErrNotFound)
)

// An OffsetError is returned by Write for bytes that do not continue the
// upload.
type OffsetError struct {
	Offset int64 // where the upload really ends, in bytes
}

func (e *OffsetError) Error() string {
	return fmt.Sprintf("the upload continues at offset %d", e.Offset)
}
