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

// QuotaSubject is where a namespace's quota lives.
func QuotaSubject(namespaceID string) string { return SubjectPrefix + namespaceID + ".quota._" }

// HubSubject is where facts about the whole hub live.
func HubSubject() string { return SubjectPrefix + "_.hub._" }

// UserSubject is where a user's standing and secrets are told of. Their id is
// that of their namespace.
func UserSubject(userID string) string { return SubjectPrefix + userID + ".user." + userID }

// MembershipSubject is where one user's membership in one team, or in the
// organization itself, lives.
func MembershipSubject(organizationID, groupID, userID string) string {
	return SubjectPrefix + organizationID + ".membership." + groupID + "-" + userID
}

// TeamSubject is where teams of that name live, one after another.
func TeamSubject(organizationID, name string) string {
	return SubjectPrefix + organizationID + ".team." + HashName(name)
}

// RobotSubject is where robot accounts of that name live, one after another.
func RobotSubject(organizationID, name string) string {
	return SubjectPrefix + organizationID + ".robot." + HashName(name)
}

// GrantSubject is where one grantee's role on one repository lives, or, with
// no repository, on all of the namespace.
func GrantSubject(namespaceID, repositoryID, granteeID string) string {
	if repositoryID == "" {
		repositoryID = "_"
	}
	return SubjectPrefix + namespaceID + ".grant." + repositoryID + "-" + granteeID
}

// TokenSubject is where one token lives.
func TokenSubject(namespaceID, tokenID string) string {
	return SubjectPrefix + namespaceID + ".token." + tokenID
}

// StarSubject is where one user's star of one repository lives.
func StarSubject(namespaceID, repositoryID, userID string) string {
	return SubjectPrefix + namespaceID + ".star." + repositoryID + "-" + userID
}

// LoginsSubject is where a node's sums of refused logins live.
func LoginsSubject(node string) string { return SubjectPrefix + "_.logins." + node }
