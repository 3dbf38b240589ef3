package apitypes

import "time"

// An Organization is an organization and what the caller is in it.
type Organization struct {
	Name      string `json:"name" doc:"Of the organization, and of its namespace"`
	Role      string `json:"role,omitempty" enum:"owner,member" doc:"Mine in it; absent for an administrator of the hub who has none"`
	Ownerless bool   `json:"ownerless,omitempty" doc:"Nobody owns it: administrators of the hub name an owner"`
}

// CreateOrganizationRequest asks for an organization.
type CreateOrganizationRequest struct {
	Name  string `json:"name" example:"acme" minLength:"2" maxLength:"40" doc:"Lower-case letters, digits, and single . _ - between them"`
	Owner string `json:"owner,omitempty" maxLength:"40" doc:"Login name of its first owner: absent for myself, others are for administrators of the hub to name"`
}

// CreatedOrganization is an organization that was just made.
type CreatedOrganization struct {
	Organization
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

// A Member is somebody in an organization or a team.
type Member struct {
	Name string `json:"name" doc:"Login name"`
	Role string `json:"role" enum:"owner,member" doc:"An owner may do everything with what the organization has"`
	Given
}

// Given says who gave a role, and when.
type Given struct {
	By    string    `json:"by" doc:"Login name of who gave it, or operator"`
	Since time.Time `json:"since" doc:"When it was given as it is"`
	Seq   uint64    `json:"seq" doc:"Sequence of the event in the log"`
}

// SetMemberRequest says what a member becomes.
type SetMemberRequest struct {
	Role string `json:"role" enum:"owner,member" doc:"An owner may do everything with what the organization has"`
}

// MemberChange answers a change of an organization's members.
type MemberChange struct {
	Seq       uint64 `json:"seq" doc:"Sequence of the change in the log"`
	Invited   bool   `json:"invited,omitempty" doc:"The user has to accept first"`
	Ownerless bool   `json:"ownerless,omitempty" doc:"Nobody owns the organization: administrators of the hub name an owner"`
}

// An Invitation asks a user to join an organization, or to become its owner.
type Invitation struct {
	Organization string    `json:"organization" doc:"Name of the organization"`
	User         string    `json:"user" doc:"Login name of who is invited"`
	Role         string    `json:"role" enum:"owner,member" doc:"What the user becomes by accepting"`
	Inviter      string    `json:"inviter" doc:"Who has sent it"`
	Invited      time.Time `json:"invited" doc:"When it was sent"`
	Expires      time.Time `json:"expires" doc:"When it can no longer be accepted"`
}

// A Team of an organization.
type Team struct {
	Name        string `json:"name" doc:"Unique in the organization"`
	Description string `json:"description" doc:"What it is for"`
}

// NameRequest asks for a team or a robot account.
type NameRequest struct {
	Name        string `json:"name" minLength:"1" maxLength:"40" doc:"Lower-case letters, digits, and single . _ - between them"`
	Description string `json:"description,omitempty" maxLength:"500" doc:"What it is for"`
}

// A Robot is a robot account of an organization.
type Robot struct {
	Name        string    `json:"name" doc:"Login name: the organization's, a +, and its own"`
	Description string    `json:"description" doc:"What it is for"`
	Created     time.Time `json:"created" doc:"When it was made"`
}

// A Grant is a role that somebody has on a repository or on all of a namespace.
type Grant struct {
	Kind string `json:"kind" enum:"user,team,robot" doc:"What has the role"`
	Name string `json:"name" doc:"Login name, or name of the team"`
	Role string `json:"role" enum:"read,write,admin" doc:"read pulls, write pushes and deletes tags too, admin does everything"`
	Given
}

// An Access is what one account may do with a repository, and why.
type Access struct {
	Name    string         `json:"name" doc:"Login name"`
	Kind    string         `json:"kind" enum:"user,robot" doc:"What sort of account it is"`
	Level   string         `json:"level,omitempty" enum:"read,write,delete,admin" doc:"What the account may do by a credential that is good for all; absent for nothing: for it there is no such repository"`
	Reasons []AccessReason `json:"reasons" nullable:"false" doc:"What gives rights; the highest counts"`
	Blocked string         `json:"blocked,omitempty" enum:"disabled,erased" doc:"Why no credential of the account is accepted"`
}

// An AccessReason is one thing that gives an account rights on a repository.
type AccessReason struct {
	Why   string `json:"why" enum:"public,owner,grant,administrator" doc:"owner: of the namespace; administrator: of the hub"`
	Level string `json:"level" enum:"read,delete,admin" doc:"What it allows"`
	Role  string `json:"role,omitempty" enum:"read,write,admin" doc:"Role of a grant"`
	Team  string `json:"team,omitempty" doc:"Team that the grant is to"`
	Wide  bool   `json:"wide,omitempty" doc:"The grant is on the whole namespace"`
	*Given
}

// An AccessChange is a right that differs between two times.
type AccessChange struct {
	Kind string `json:"kind" enum:"member,teamMember,robot,grant,visibility,account" doc:"member: of the organization; account: the state of one that has rights in the namespace"`
	Who  string `json:"who,omitempty" doc:"Login name, or team:NAME; absent for the visibility of a repository"`
	On   string `json:"on,omitempty" doc:"The team, the repository, or the namespace with a slash behind it"`
	Was  string `json:"was,omitempty" doc:"The role, the visibility or the state before; absent for none"`
	Is   string `json:"is,omitempty" doc:"The same after"`
	*Given
}

// RoleRequest gives a role.
type RoleRequest struct {
	Role string `json:"role" enum:"read,write,admin" doc:"write pushes and deletes tags and images; admin also changes settings and grants"`
}

// A Namespace is a user's or an organization's.
type Namespace struct {
	Name  string `json:"name" doc:"First component of the names in it"`
	Kind  string `json:"kind,omitempty" enum:"user,organization" doc:"Absent for library, which has the top-level images, and for one that was pushed to before there were accounts"`
	Level string `json:"level" enum:"read,write,admin" doc:"read: a member; write: may create repositories; admin: owns it"`
}

// A Quota says what a namespace may hold.
type Quota struct {
	Bytes  int64 `json:"bytes" minimum:"0" doc:"Of distinct blobs and manifests that live images hold, and of uploads that no image names yet; 0 for no limit"`
	Images int64 `json:"images" minimum:"0" doc:"Live manifests; 0 for no limit"`
}

// QuotaUse is a quota, and what counts against it.
type QuotaUse struct {
	Quota
	UsedBytes    int64 `json:"usedBytes" doc:"Of what live images hold, and of uploads that no image names yet"`
	PendingBytes int64 `json:"pendingBytes" doc:"Of the used bytes, open uploads and blobs that no image names yet: they go by themselves"`
	UsedImages   int64 `json:"usedImages" doc:"Live manifests"`
}

// Usage says what live images take, in bytes.
type Usage struct {
	Repositories int   `json:"repositories" doc:"Live ones"`
	Tags         int64 `json:"tags" doc:"Live ones"`
	Manifests    int64 `json:"manifests" doc:"Live ones, indexes included"`
	Blobs        int64 `json:"blobs" doc:"Distinct ones"`
	Bytes        int64 `json:"bytes" doc:"Of distinct blobs and of manifests"`
	Unique       int64 `json:"unique" doc:"Of the bytes, what nothing else in the namespace needs; for administrators of the hub: nothing else in the hub"`
	Shared       int64 `json:"shared" doc:"Of the bytes, what others need, too"`
	Everywhere   bool  `json:"everywhere" doc:"Unique and shared are those in the whole hub; if not, in the namespace: what other namespaces need is not told"`
}
