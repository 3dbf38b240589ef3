package events

import "time"

// Roles in an organization or a team. An owner may do everything with the
// organization's repositories; a member of a team may do what was granted to it.
const (
	RoleOwner  = "owner"
	RoleMember = "member"
)

// MembershipGranted makes a user a member of an organization or of a team, or
// changes their role there.
type MembershipGranted struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Group        string `json:"group" jsonschema:"id of the team, or of the organization itself"`
	User         string `json:"user" jsonschema:"id of the user"`
	Role         string `json:"role" jsonschema:"owner or member; in a team always member"`
}

func (MembershipGranted) EventType() string { return "membership.granted.v1" }
func (e MembershipGranted) Subject() string {
	return MembershipSubject(e.Organization, e.Group, e.User)
}

// MembershipInvited asks a user to become a member or an owner of an
// organization. Accepting is a membership.granted by that user; every later
// event of the membership ends the invitation.
type MembershipInvited struct {
	Organization string    `json:"organization" jsonschema:"id of the organization"`
	User         string    `json:"user" jsonschema:"id of the user"`
	Role         string    `json:"role" jsonschema:"owner or member: what the user becomes by accepting"`
	Expires      time.Time `json:"expires" jsonschema:"when it can no longer be accepted"`
}

func (MembershipInvited) EventType() string { return "membership.invited.v1" }
func (e MembershipInvited) Subject() string {
	return MembershipSubject(e.Organization, e.Organization, e.User)
}

// MembershipUninvited ends an invitation that was not accepted: the user declined
// it, or the organization withdrew it. A membership that there was stays.
type MembershipUninvited struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	User         string `json:"user" jsonschema:"id of the user"`
}

func (MembershipUninvited) EventType() string { return "membership.uninvited.v1" }
func (e MembershipUninvited) Subject() string {
	return MembershipSubject(e.Organization, e.Organization, e.User)
}

// MembershipRevoked ends a membership. Leaving an organization ends the
// memberships in its teams too, without events of their own.
type MembershipRevoked struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Group        string `json:"group" jsonschema:"id of the team, or of the organization itself"`
	User         string `json:"user" jsonschema:"id of the user"`
}

func (MembershipRevoked) EventType() string { return "membership.revoked.v1" }
func (e MembershipRevoked) Subject() string {
	return MembershipSubject(e.Organization, e.Group, e.User)
}

// TeamCreated makes a team of an organization.
type TeamCreated struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Team         string `json:"team" jsonschema:"id of the team, UUIDv7"`
	Name         string `json:"name" jsonschema:"unique in the organization"`
	Description  string `json:"description,omitempty"`
}

func (TeamCreated) EventType() string { return "team.created.v1" }
func (e TeamCreated) Subject() string { return TeamSubject(e.Organization, e.Name) }

// TeamDeleted ends a team with its memberships and grants. The name is free
// again; a new team of that name is another one.
type TeamDeleted struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Team         string `json:"team" jsonschema:"id of the team"`
	Name         string `json:"name"`
}

func (TeamDeleted) EventType() string { return "team.deleted.v1" }
func (e TeamDeleted) Subject() string { return TeamSubject(e.Organization, e.Name) }

// RobotCreated makes an account for programs. It logs in as
// <organization>+<name>, by access tokens only.
type RobotCreated struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Robot        string `json:"robot" jsonschema:"id of the robot account, UUIDv7"`
	Name         string `json:"name" jsonschema:"unique in the organization, without its name"`
	Description  string `json:"description,omitempty"`
}

func (RobotCreated) EventType() string { return "robot.created.v1" }
func (e RobotCreated) Subject() string { return RobotSubject(e.Organization, e.Name) }

// RobotDeleted ends a robot account with its tokens and grants.
type RobotDeleted struct {
	Organization string `json:"organization" jsonschema:"id of the organization"`
	Robot        string `json:"robot" jsonschema:"id of the robot account"`
	Name         string `json:"name"`
}

func (RobotDeleted) EventType() string { return "robot.deleted.v1" }
func (e RobotDeleted) Subject() string { return RobotSubject(e.Organization, e.Name) }
