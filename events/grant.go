package events

// Roles on a repository. Read pulls; write also pushes and deletes tags and
// manifests; admin also changes settings and grants, and deletes the repository.
const (
	RoleRead  = "read"
	RoleWrite = "write"
	RoleAdmin = "admin"
)

// Kinds of grantees.
const (
	GranteeUser  = "user"
	GranteeTeam  = "team"
	GranteeRobot = "robot"
)

// GrantGiven gives a role on a repository, or on all that a namespace has and
// will have; there write also creates repositories. It replaces an earlier
// grant of the same grantee.
type GrantGiven struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Repository  string `json:"repository,omitempty" jsonschema:"id of the repository; absent for all of the namespace"`
	Grantee     string `json:"grantee" jsonschema:"id of the user, team or robot account"`
	GranteeKind string `json:"granteeKind" jsonschema:"user, team or robot"`
	Role        string `json:"role" jsonschema:"read, write or admin"`
}

func (GrantGiven) EventType() string { return "grant.given.v1" }
func (e GrantGiven) Subject() string { return GrantSubject(e.Namespace, e.Repository, e.Grantee) }

// GrantWithdrawn ends a grant.
type GrantWithdrawn struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Repository  string `json:"repository,omitempty" jsonschema:"id of the repository; absent for all of the namespace"`
	Grantee     string `json:"grantee" jsonschema:"id of the user, team or robot account"`
	GranteeKind string `json:"granteeKind" jsonschema:"user, team or robot"`
}

func (GrantWithdrawn) EventType() string { return "grant.withdrawn.v1" }
func (e GrantWithdrawn) Subject() string { return GrantSubject(e.Namespace, e.Repository, e.Grantee) }

// StarGiven says that a user likes a repository.
type StarGiven struct {
	Namespace  string `json:"namespace" jsonschema:"id of the repository's namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	User       string `json:"user" jsonschema:"id of the user"`
}

func (StarGiven) EventType() string { return "star.given.v1" }
func (e StarGiven) Subject() string { return StarSubject(e.Namespace, e.Repository, e.User) }

// StarWithdrawn takes a star back.
type StarWithdrawn struct {
	Namespace  string `json:"namespace" jsonschema:"id of the repository's namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	User       string `json:"user" jsonschema:"id of the user"`
}

func (StarWithdrawn) EventType() string { return "star.withdrawn.v1" }
func (e StarWithdrawn) Subject() string { return StarSubject(e.Namespace, e.Repository, e.User) }
