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

// NamespaceSubject is that of the namespace of that name.
func NamespaceSubject(name string) string { return SubjectPrefix + "_.namespace." + HashName(name) }

// RepositorySubject is that of the repositories of that full name, which exist
// one after another.
func RepositorySubject(namespaceID, name string) string {
	return SubjectPrefix + namespaceID + ".repository." + HashName(name)
}

// TagSubject is that of one tag of a repository. A dot would split the token,
// so it is written "~", which no tag may contain.
func TagSubject(namespaceID, repositoryID, tag string) string {
	return SubjectPrefix + namespaceID + ".tag." + repositoryID + "-" + strings.ReplaceAll(tag, ".", "~")
}

// ImageSubject is that of a repository's pushes without a tag and of the
// deletions of its manifests.
func ImageSubject(namespaceID, repositoryID string) string {
	return SubjectPrefix + namespaceID + ".image." + repositoryID
}

// BlobsSubject is that of the blob store's sweeps.
func BlobsSubject() string { return SubjectPrefix + "_.blobs._" }

// PullsSubject is that of a node's pull counts.
func PullsSubject(node string) string { return SubjectPrefix + "_.pulls." + node }

// RefusalsSubject is that of what was refused on a repository.
func RefusalsSubject(namespaceID, repositoryID string) string {
	return SubjectPrefix + namespaceID + ".refusals." + repositoryID
}

// QuotaSubject is that of a namespace's quota.
func QuotaSubject(namespaceID string) string { return SubjectPrefix + namespaceID + ".quota._" }

// HubSubject is that of facts about the whole hub.
func HubSubject() string { return SubjectPrefix + "_.hub._" }

// LogSubject is that of what was done to the log as a whole.
func LogSubject() string { return SubjectPrefix + "_.log._" }

// UserSubject is that of changes of a user's standing, password and e-mail
// address. The user's id is that of their namespace.
func UserSubject(userID string) string { return SubjectPrefix + userID + ".user." + userID }

// MembershipSubject is that of one user's membership in one team, or in the
// organization itself.
func MembershipSubject(organizationID, groupID, userID string) string {
	return SubjectPrefix + organizationID + ".membership." + groupID + "-" + userID
}

// TeamSubject is that of the teams of that name, which exist one after another.
func TeamSubject(organizationID, name string) string {
	return SubjectPrefix + organizationID + ".team." + HashName(name)
}

// RobotSubject is that of the robot accounts of that name, which exist one after
// another.
func RobotSubject(organizationID, name string) string {
	return SubjectPrefix + organizationID + ".robot." + HashName(name)
}

// GrantSubject is that of one grantee's role on one repository or, with no
// repository, on all of the namespace.
func GrantSubject(namespaceID, repositoryID, granteeID string) string {
	if repositoryID == "" {
		repositoryID = "_"
	}
	return SubjectPrefix + namespaceID + ".grant." + repositoryID + "-" + granteeID
}

// TokenSubject is that of one token.
func TokenSubject(namespaceID, tokenID string) string {
	return SubjectPrefix + namespaceID + ".token." + tokenID
}

// StarSubject is that of one user's star of one repository.
func StarSubject(namespaceID, repositoryID, userID string) string {
	return SubjectPrefix + namespaceID + ".star." + repositoryID + "-" + userID
}

// LoginsSubject is that of a node's counts of refused logins.
func LoginsSubject(node string) string { return SubjectPrefix + "_.logins." + node }
