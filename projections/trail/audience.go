package trail

import (
	"hubledger/events"
	"hubledger/projections"
)

// Kind is the sort of readers of an event.
type Kind byte

const (
	RepositoryReader Kind = 'r' // of the repository: whoever may pull from it
	RepositoryWriter Kind = 'w' // who may push to it
	RepositoryAdmin  Kind = 'a'
	NamespaceMember  Kind = 'm' // of the organization, or the user themselves
	NamespaceOwner   Kind = 'o'
	User             Kind = 'u' // that user, and nobody else
)

// An Audience is readers of an event: those of a repository, of a namespace, or a user.
type Audience struct {
	Kind Kind
	ID   string // of the repository, namespace or user
}

func (a Audience) key() string {
	raw, err := projections.IDBytes(a.ID)
	if err != nil {
		return ""
	}
	return string(append([]byte{byte(a.Kind)}, raw...))
}

// keySize is the length of a key in bytes.
const keySize = 17

func parseAudience(raw []byte) (list []Audience) {
	for ; len(raw) >= keySize; raw = raw[keySize:] {
		list = append(list, Audience{Kind(raw[0]), projections.IDOf(raw[1:keySize])})
	}
	return list
}

// AudienceOf says who may read an event: everybody who is in one of the audiences. None,
// and a payload that is nil, are for administrators of the hub, who may read all events.
//
// The rule is that of what the event is about: whoever may read a repository, may read
// what happened to its images; its builds are for those who may push; its secrets,
// triggers and grants for those who administer it. What is about an account is for that
// user. Memberships, teams, robot accounts and their tokens are for the owners of the
// organization, too.
func AudienceOf(p events.Payload) []Audience {
	if p == nil {
		return nil
	}
	if of, ok := audiences[p.EventType()]; ok {
		return of(p)
	}
	return nil
}

// audiences has every type of event.
var audiences = func() map[string]func(events.Payload) []Audience {
	all := map[string]func(events.Payload) []Audience{}
	for _, r := range rules {
		all[r.name] = r.of
	}
	return all
}()

type rule struct {
	name string
	of   func(events.Payload) []Audience
}

func on[P events.Payload](of func(p P) []Audience) rule {
	var zero P
	return rule{zero.EventType(), func(p events.Payload) []Audience { return of(p.(P)) }}
}

// forHub is for a type that only administrators of the hub may read.
func forHub[P events.Payload]() rule { return on(func(P) []Audience { return nil }) }

func readers(repository string) []Audience { return []Audience{{RepositoryReader, repository}} }
func writers(repository string) []Audience { return []Audience{{RepositoryWriter, repository}} }
func admins(repository string) []Audience  { return []Audience{{RepositoryAdmin, repository}} }
func members(namespace string) []Audience  { return []Audience{{NamespaceMember, namespace}} }
func owners(namespace string) []Audience   { return []Audience{{NamespaceOwner, namespace}} }
func user(id string) []Audience            { return []Audience{{User, id}} }

// ownersAnd is for the owners of an organization, and the user whom it is about.
func ownersAnd(namespace, id string) []Audience { return append(owners(namespace), user(id)...) }

// granted is for those who administer what a grant is on, and a user who has it.
func granted(namespace, repository, grantee, kind string) []Audience {
	list := owners(namespace)
	if repository != "" {
		list = admins(repository)
	}
	if kind == events.GranteeUser {
		list = append(list, user(grantee)...)
	}
	return list
}

// builders is for those who may push to the repository of a build; builds of earlier
// versions do not say which that is.
func builders(namespace, repository string) []Audience {
	if repository == "" {
		return owners(namespace)
	}
	return writers(repository)
}

var rules = []rule{
	forHub[events.HubInitialized](),
	forHub[events.LogRedacted](),
	on(func(e events.NamespaceCreated) []Audience { return members(e.Namespace) }),
	on(func(e events.NamespaceAdopted) []Audience { return members(e.Namespace) }),
	on(func(e events.QuotaSet) []Audience { return members(e.Namespace) }),

	on(func(e events.UserStandingChanged) []Audience { return user(e.User) }),
	on(func(e events.UserPasswordChanged) []Audience { return user(e.User) }),
	on(func(e events.UserSecondFactorChanged) []Audience { return user(e.User) }),
	on(func(e events.UserEmailChanged) []Audience { return user(e.User) }),
	on(func(e events.UserErased) []Audience { return user(e.User) }),
	on(func(e events.TokenIssued) []Audience {
		if e.OwnerKind == events.GranteeUser {
			return user(e.Owner)
		}
		return owners(e.Namespace)
	}),
	// The namespace of a user is the user; that of a robot account its organization.
	on(func(e events.TokenRevoked) []Audience { return ownersAnd(e.Namespace, e.Namespace) }),
	forHub[events.LoginsRefused](),
	forHub[events.MachineInvited](),
	forHub[events.MachineEnrolled](),
	forHub[events.MachineRevoked](),

	on(func(e events.MembershipGranted) []Audience { return ownersAnd(e.Organization, e.User) }),
	on(func(e events.MembershipRevoked) []Audience { return ownersAnd(e.Organization, e.User) }),
	on(func(e events.MembershipInvited) []Audience { return ownersAnd(e.Organization, e.User) }),
	on(func(e events.MembershipUninvited) []Audience { return ownersAnd(e.Organization, e.User) }),
	on(func(e events.TeamCreated) []Audience { return owners(e.Organization) }),
	on(func(e events.TeamDeleted) []Audience { return owners(e.Organization) }),
	on(func(e events.RobotCreated) []Audience { return owners(e.Organization) }),
	on(func(e events.RobotDeleted) []Audience { return owners(e.Organization) }),
	on(func(e events.GrantGiven) []Audience {
		return granted(e.Namespace, e.Repository, e.Grantee, e.GranteeKind)
	}),
	on(func(e events.GrantWithdrawn) []Audience {
		return granted(e.Namespace, e.Repository, e.Grantee, e.GranteeKind)
	}),

	on(func(e events.RepositoryCreated) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositoryDeleted) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositoryRestored) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositoryPolicyChanged) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositoryVisibilityChanged) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositoryDescribed) []Audience { return readers(e.Repository) }),
	on(func(e events.RepositorySummaryChanged) []Audience { return readers(e.Repository) }),
	// An account that could not see the repository does not learn by this that there is one.
	on(func(e events.RefusalsCounted) []Audience {
		if e.Visible && e.Kind == events.GranteeUser {
			return append(admins(e.Repository), user(e.Account)...)
		}
		return admins(e.Repository)
	}),
	on(func(e events.StarGiven) []Audience { return user(e.User) }),
	on(func(e events.StarWithdrawn) []Audience { return user(e.User) }),

	on(func(e events.ImagePushed) []Audience { return readers(e.Repository) }),
	on(func(e events.ImageTagged) []Audience { return readers(e.Repository) }),
	on(func(e events.TagDeleted) []Audience { return readers(e.Repository) }),
	on(func(e events.TagRestored) []Audience { return readers(e.Repository) }),
	on(func(e events.ManifestDeleted) []Audience { return readers(e.Repository) }),
	on(func(e events.ManifestRestored) []Audience { return readers(e.Repository) }),
	forHub[events.BlobsSwept](),
	forHub[events.PullsCounted](),

	on(func(e events.SourceLinked) []Audience { return members(e.Namespace) }),
	on(func(e events.SourceChanged) []Audience { return members(e.Namespace) }),
	on(func(e events.SourceUnlinked) []Audience { return members(e.Namespace) }),
	on(func(e events.RefMoved) []Audience { return members(e.Namespace) }),
	on(func(e events.RefsRecorded) []Audience { return members(e.Namespace) }),
	on(func(e events.HookReceived) []Audience { return members(e.Namespace) }),
	on(func(e events.HookRedelivered) []Audience { return members(e.Namespace) }),
	on(func(e events.HookRefused) []Audience { return members(e.Namespace) }),

	on(func(e events.PullRequestChanged) []Audience { return members(e.Namespace) }),
	on(func(e events.PullRequestsWatched) []Audience { return members(e.Namespace) }),
	on(func(e events.StatusSent) []Audience { return members(e.Namespace) }),
	on(func(e events.StatusGivenUp) []Audience { return members(e.Namespace) }),

	on(func(e events.ApplicationCreated) []Audience { return members(e.Namespace) }),
	on(func(e events.ApplicationChanged) []Audience { return members(e.Namespace) }),
	on(func(e events.ApplicationDeleted) []Audience { return members(e.Namespace) }),
	on(func(e events.EnvironmentCreated) []Audience { return members(e.Namespace) }),
	on(func(e events.EnvironmentDeleted) []Audience { return members(e.Namespace) }),
	on(func(e events.ConfigurationSet) []Audience { return owners(e.Namespace) }), // with its values
	on(func(e events.ReleaseMade) []Audience { return members(e.Namespace) }),
	on(func(e events.PlacementSet) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentRequested) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentAdmitted) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentRefused) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentPulled) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentHealthy) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentShifted) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentGateChanged) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentPromoted) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentRolledBack) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentCancelled) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentFailed) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentHostExcluded) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentOverdue) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentFinished) []Audience { return members(e.Namespace) }),
	on(func(e events.DeploymentTornDown) []Audience { return members(e.Namespace) }),
	on(func(e events.DeployPolicySet) []Audience { return members(e.Namespace) }),
	on(func(e events.GateHookSet) []Audience { return members(e.Namespace) }),
	on(func(e events.GateHookRemoved) []Audience { return members(e.Namespace) }),

	on(func(e events.RulesSet) []Audience { return writers(e.Repository) }),
	on(func(e events.PushEvaluated) []Audience { return writers(e.Repository) }),
	on(func(e events.PushRequested) []Audience { return writers(e.Repository) }),
	on(func(e events.BuildQueued) []Audience { return writers(e.Repository) }),
	on(func(e events.BuildClaimed) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildStepEnded) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildPushed) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildLost) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildFinished) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildLogSealed) []Audience { return builders(e.Namespace, e.Repository) }),
	on(func(e events.BuildSecretSet) []Audience { return admins(e.Repository) }),
	on(func(e events.BuildSecretRemoved) []Audience { return admins(e.Repository) }),
	on(func(e events.TriggerCreated) []Audience { return admins(e.Repository) }),
	on(func(e events.TriggerDeleted) []Audience { return admins(e.Repository) }),
}

// Ruled says whether there is a rule of who may read a type of event.
func Ruled(name string) bool { return audiences[name] != nil }
