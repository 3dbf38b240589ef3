// Package layerfiles says which files a layer has. The content of a layer never changes,
// so it is read once, by one pass in the background, when somebody first asks; what the
// pass found is kept in a directory, where the least recently used goes first. It decides
// nothing: the caller knows who may read a layer.
//
// Everything in a layer is the pusher's, sizes and names among them: a pass is bounded in
// bytes, entries, names and time, and says when it has stopped early.
package layerfiles

import "errors"

// Type is what an entry of a layer is.
type Type string

// The types of entries. A whiteout deletes what lower layers have by that name
// (image-spec, "Image Layer Filesystem Changeset", "Whiteouts").
const (
	File      Type = "file"
	Directory Type = "directory"
	Symlink   Type = "symlink"
	Hardlink  Type = "hardlink"
	Device    Type = "device" // a character or block device, or a named pipe
	Whiteout  Type = "whiteout"
)

// An Entry is a file, directory or whiteout of a layer.
type Entry struct {
	Name string // without its directory; "" of the layer's root
	Type Type
	// Mode has the permission bits and, as in tar, set-user-id (04000), set-group-id
	// (02000) and sticky (01000).
	Mode     uint32
	UID, GID int
	// Size is that of the content in bytes; of a directory, of all files below it.
	Size int64
	// Files is how many files are below a directory.
	Files int
	Link  string // where a symlink or hardlink leads
	// Sum is the SHA-256 of the content of a file. Zero of everything else.
	Sum [32]byte
	// Opaque says that a directory hides all that lower layers have in it.
	Opaque bool
	// Implied says that the layer has no entry of its own for the directory.
	Implied bool
}

// A Summary is what a pass has found in all.
type Summary struct {
	// Kind is tar, tar+gzip or tar+zstd; "" for what is no archive.
	Kind string
	// About says what the blob is when it is no archive that can be read.
	About string `json:",omitempty"`
	// Entries counts those of the layer, and Bytes the content of its files.
	Entries int
	Bytes   int64
	// Names is how many bytes all paths, names and links have together.
	Names int
	// Truncated says why the pass stopped before the end, "" when it did not.
	Truncated string `json:",omitempty"`
}

// ErrNoDirectory: a layer has no directory of that path.
var ErrNoDirectory = errors.New("the layer has no such directory")

// ErrBusy: so many layers wait to be looked through that no other is taken now.
var ErrBusy = errors.New("too many layers wait to be looked through: try again in a while")
