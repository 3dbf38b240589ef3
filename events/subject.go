package events

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// SubjectPrefix begins the subject of every event: evt.<namespace id>.<aggregate>.<id>,
// with "_" where the system itself stands in for a namespace.
const SubjectPrefix = "evt."

var nameHash = base32.StdEncoding.WithPadding(base32.NoPadding)

// HashName is h(name) of the subjects: lower-case base32 of the name's
// SHA-256. A name is unique in the hub because it is a subject.
func HashName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return strings.ToLower(nameHash.EncodeToString(sum[:]))
}

// NamespaceSubject is where a namespace of that name lives.
func NamespaceSubject(name string) string { return SubjectPrefix + "_.namespace." + HashName(name) }

// RepositorySubject is where repositories of that full name live, one after another.
func RepositorySubject(namespaceID, name string) string {
	return SubjectPrefix + namespaceID + ".repository." + HashName(name)
}

// TagSubject is where one tag of a repository lives. A dot would split the
// token, so it is written "~", which no tag may contain.
func TagSubject(namespaceID, repositoryID, tag string) string {
	return SubjectPrefix + namespaceID + ".tag." + repositoryID + "-" + strings.ReplaceAll(tag, ".", "~")
}

// ImageSubject is where a repository's pushes without a tag and the deletions
// of its manifests live.
func ImageSubject(namespaceID, repositoryID string) string {
	return SubjectPrefix + namespaceID + ".image." + repositoryID
}

// BlobsSubject is where sweeps of the blob store live.
func BlobsSubject() string { return SubjectPrefix + "_.blobs._" }

// PullsSubject is where a node's pull counts live.
func PullsSubject(node string) string { return SubjectPrefix + "_.pulls." + node }
