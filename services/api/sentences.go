package api

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// Sentences tell the events of accounts, rights and the catalog to people.
var Sentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.NamespaceCreated) string {
		return "created the " + strings.TrimSpace(kindName(e.Kind)+" "+e.Name)
	}),
	service.Tell(func(_ service.Names, e events.NamespaceAdopted) string {
		return "made the namespace " + e.Name + " an account: " + kindName(e.Kind)
	}),
	service.Tell(func(n service.Names, e events.QuotaSet) string {
		return fmt.Sprintf("set the quota of %s: %s, %s", n.Account(e.Namespace), limit(e.Bytes, "bytes"), limit(e.Images, "images"))
	}),
	service.Tell(func(n service.Names, e events.UserStandingChanged) string {
		return fmt.Sprintf("changed the standing of %s: admin %t, disabled %t", n.Account(e.User), e.Admin, e.Disabled)
	}),
	service.Tell(func(n service.Names, e events.MembershipGranted) string {
		return "made " + n.Account(e.User) + " " + e.Role + " of " + n.Group(e.Organization, e.Group)
	}),
	service.Tell(func(n service.Names, e events.MembershipRevoked) string {
		return "removed " + n.Account(e.User) + " from " + n.Group(e.Organization, e.Group)
	}),
	service.Tell(func(n service.Names, e events.MembershipInvited) string {
		return "invited " + n.Account(e.User) + " to become " + e.Role + " of " + n.Account(e.Organization)
	}),
	service.Tell(func(n service.Names, e events.MembershipUninvited) string {
		return "ended the invitation of " + n.Account(e.User) + " to " + n.Account(e.Organization)
	}),
	service.Tell(func(n service.Names, e events.TeamCreated) string {
		return "created the team " + e.Name + " of " + n.Account(e.Organization)
	}),
	service.Tell(func(n service.Names, e events.TeamDeleted) string {
		return "deleted the team " + e.Name + " of " + n.Account(e.Organization)
	}),
	service.Tell(func(n service.Names, e events.RobotCreated) string {
		return "created the robot account " + n.Account(e.Organization) + "+" + e.Name
	}),
	service.Tell(func(n service.Names, e events.RobotDeleted) string {
		return "deleted the robot account " + n.Account(e.Organization) + "+" + e.Name
	}),
	service.Tell(func(n service.Names, e events.GrantGiven) string {
		return fmt.Sprintf("granted %s the role %s on %s", grantee(n, e.Namespace, e.Grantee, e.GranteeKind), e.Role, granted(n, e.Namespace, e.Repository))
	}),
	service.Tell(func(n service.Names, e events.GrantWithdrawn) string {
		return fmt.Sprintf("withdrew the role of %s on %s", grantee(n, e.Namespace, e.Grantee, e.GranteeKind), granted(n, e.Namespace, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryCreated) string { return "created the repository " + e.Name }),
	service.Tell(func(_ service.Names, e events.RepositoryDeleted) string { return "deleted the repository " + e.Name }),
	service.Tell(func(_ service.Names, e events.RepositoryRestored) string { return "restored the repository " + e.Name }),
	service.Tell(func(_ service.Names, e events.RepositoryPolicyChanged) string {
		return "changed the policy of " + e.Name
	}),
	service.Tell(func(_ service.Names, e events.RepositoryDescribed) string { return "described " + e.Name }),
	service.Tell(func(_ service.Names, e events.RepositorySummaryChanged) string {
		return "changed description and topics of " + e.Name
	}),
	service.Tell(func(_ service.Names, e events.RepositoryVisibilityChanged) string {
		return "made " + e.Name + " " + e.Visibility
	}),
	service.Tell(func(n service.Names, e events.StarGiven) string {
		return "gave a star to " + n.Repository(e.Repository)
	}),
	service.Tell(func(n service.Names, e events.StarWithdrawn) string {
		return "took back the star of " + n.Repository(e.Repository)
	}),
}

// kindName is what sort of namespace one is; one of neither kind has no account yet.
func kindName(kind string) string {
	if kind == "" {
		return "namespace"
	}
	return kind
}

func limit(n int64, unit string) string {
	if n == 0 {
		return "no limit of " + unit
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func grantee(n service.Names, namespace, id, kind string) string {
	if kind == events.GranteeTeam {
		return n.Group(namespace, id)
	}
	return n.Account(id)
}

func granted(n service.Names, namespace, repository string) string {
	if repository == "" {
		return "all of " + n.Account(namespace)
	}
	return n.Repository(repository)
}
