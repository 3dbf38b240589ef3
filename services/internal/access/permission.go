package access

// A Permission is what an endpoint asks of a principal. It is declared with
// the endpoint. The zero Permission is one that was forgotten: nobody has it.
type Permission uint8

const (
	Undeclared Permission = iota
	// Open looks at no credentials at all: logins, and what is the same for all.
	Open
	// Anyone may ask; the answer shows what the principal may see.
	Anyone
	// RegistryUser is anyone who was let in by the token service, anonymous
	// included: by GET /v2/ docker login finds out where to log in.
	RegistryUser
	// RegistryCatalog may list the names of repositories by the registry's API.
	RegistryCatalog
	// SignedIn is any account, whatever its credential is good for.
	SignedIn
	// FullAccount is an account whose credential is good for all it may: a password,
	// a token of level admin for all repositories, or a session that either opened.
	FullAccount
	// Self is the user of {user} by a full credential.
	Self
	// SelfOrHubAdmin is the user of {user}, or an administrator of the hub,
	// by a full credential.
	SelfOrHubAdmin
	// HubAdmin is an administrator of the hub by a full credential.
	HubAdmin
	// ThisMachineOrHubAdmin is a connection from this machine that no proxy has
	// forwarded, or an administrator of the hub by any credential that is not limited
	// to some repositories: what reads metrics needs no more than to read.
	ThisMachineOrHubAdmin
	// NamespaceMember sees the namespace of {namespace}: its owner, or a member
	// of the organization.
	NamespaceMember
	// NamespaceWriter may push to all repositories of the namespace of {namespace}, also
	// to new ones.
	NamespaceWriter
	// NamespaceAdmin owns the namespace of {namespace}.
	NamespaceAdmin
	// OwnMembershipOrNamespaceAdmin is {member}, who is in the organization of
	// {namespace}, by a full credential, or owns it: everybody may leave.
	OwnMembershipOrNamespaceAdmin
	// RepositoryRead and those below are levels on the repository that the path
	// names: {namespace}/{name}, or {name} alone with the namespace in it.
	RepositoryRead
	RepositoryWrite
	RepositoryDelete
	RepositoryAdmin
)

var permissionLevels = map[Permission]Level{
	RepositoryRead: Read, RepositoryWrite: Write, RepositoryDelete: Delete, RepositoryAdmin: Admin,
	NamespaceMember: Read, NamespaceWriter: Write, NamespaceAdmin: Admin, OwnMembershipOrNamespaceAdmin: Admin,
}

// Level is what the permission asks for on the repository or namespace that
// the path names; None when it is not about one.
func (p Permission) Level() Level { return permissionLevels[p] }
