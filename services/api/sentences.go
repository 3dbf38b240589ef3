package api

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// Sentences tell the events of accounts, rights and the catalog to people.
var Sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.NamespaceCreated) service.Text {
		return service.Say("created the "+kindName(e.Kind)+" ", service.Part{Text: e.Name, Kind: service.RefAccount, Name: e.Name, ID: e.Namespace})
	}),
	service.Tell(func(_ service.Names, e events.NamespaceAdopted) service.Text {
		return service.Say("turned the namespace ", service.Part{Text: e.Name, Kind: service.RefAccount, Name: e.Name, ID: e.Namespace}, " into "+article(kindName(e.Kind)))
	}),
	service.Tell(func(n service.Names, e events.QuotaSet) service.Text {
		return service.Say("set the quota of ", service.Account(n, e.Namespace), ": "+limits(e.Bytes, e.Images))
	}),
	service.Tell(func(n service.Names, e events.UserStandingChanged) service.Text {
		text := "made %s an ordinary user"
		switch {
		case e.Disabled && e.Admin:
			text = "disabled the account of %s, who is an administrator"
		case e.Disabled:
			text = "disabled the account of %s"
		case e.Admin:
			text = "made %s an administrator"
		}
		before, after, _ := strings.Cut(text, "%s")
		return service.Say(before, service.Account(n, e.User), after)
	}),
	service.Tell(func(n service.Names, e events.MembershipGranted) service.Text {
		return service.Say("made ", service.Account(n, e.User), " "+article(e.Role)+" of ", group(n, e.Organization, e.Group))
	}),
	service.Tell(func(n service.Names, e events.MembershipRevoked) service.Text {
		return service.Say("removed ", service.Account(n, e.User), " from ", group(n, e.Organization, e.Group))
	}),
	service.Tell(func(n service.Names, e events.MembershipInvited) service.Text {
		return service.Say("invited ", service.Account(n, e.User), " to become "+article(e.Role)+" of ", service.Account(n, e.Organization))
	}),
	service.Tell(func(n service.Names, e events.MembershipUninvited) service.Text {
		return service.Say("ended the invitation of ", service.Account(n, e.User), " to ", service.Account(n, e.Organization))
	}),
	service.Tell(func(n service.Names, e events.TeamCreated) service.Text {
		return service.Say("created the team ", team(n, e.Organization, e.Team, e.Name), " of ", service.Account(n, e.Organization))
	}),
	service.Tell(func(n service.Names, e events.TeamDeleted) service.Text {
		return service.Say("deleted the team ", team(n, e.Organization, e.Team, e.Name), " of ", service.Account(n, e.Organization))
	}),
	service.Tell(func(n service.Names, e events.RobotCreated) service.Text {
		return service.Say("created the robot account ", robot(n, e.Organization, e.Robot, e.Name))
	}),
	service.Tell(func(n service.Names, e events.RobotDeleted) service.Text {
		return service.Say("deleted the robot account ", robot(n, e.Organization, e.Robot, e.Name))
	}),
	service.Tell(func(n service.Names, e events.GrantGiven) service.Text {
		return service.Say("granted ", grantee(n, e.Namespace, e.Grantee, e.GranteeKind), " the role "+e.Role+" on ", granted(n, e.Namespace, e.Repository))
	}),
	service.Tell(func(n service.Names, e events.GrantWithdrawn) service.Text {
		return service.Say("withdrew the role of ", grantee(n, e.Namespace, e.Grantee, e.GranteeKind), " on ", granted(n, e.Namespace, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryCreated) service.Text {
		text := service.Say("created the repository ", repo(e.Name, e.Repository))
		if e.Visibility == events.Public {
			return service.Say(text, ", which is public")
		}
		return text
	}),
	service.Tell(func(_ service.Names, e events.RepositoryDeleted) service.Text {
		return service.Say("deleted the repository ", repo(e.Name, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryRestored) service.Text {
		return service.Say("restored the repository ", repo(e.Name, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryPolicyChanged) service.Text {
		return service.Say("changed the policy of ", repo(e.Name, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryDescribed) service.Text {
		return service.Say("changed the description or README of ", repo(e.Name, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositorySummaryChanged) service.Text {
		return service.Say("changed the description or topics of ", repo(e.Name, e.Repository))
	}),
	service.Tell(func(_ service.Names, e events.RepositoryVisibilityChanged) service.Text {
		return service.Say("made ", repo(e.Name, e.Repository), " "+e.Visibility)
	}),
	service.Tell(func(n service.Names, e events.StarGiven) service.Text {
		return service.Say("starred ", service.Repository(n, e.Repository))
	}),
	service.Tell(func(n service.Names, e events.StarWithdrawn) service.Text {
		return service.Say("took the star from ", service.Repository(n, e.Repository), " back")
	}),
}

// kindName is what sort of namespace one is; one of neither kind has no account yet.
func kindName(kind string) string {
	if kind == "" {
		return "namespace"
	}
	return kind
}

// article puts a or an before a word.
func article(word string) string {
	if word != "" && strings.ContainsRune("aeio", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

func limits(bytes, images int64) string {
	text := "no limit of bytes"
	if bytes > 0 {
		text = humanize.IBytes(uint64(bytes))
	}
	if images > 0 {
		return text + fmt.Sprintf(", %d images", images)
	}
	return text + ", no limit of images"
}

// repo is a repository as the event names it.
func repo(name, id string) service.Part {
	return service.Part{Text: name, Kind: service.RefRepository, Name: name, ID: id}
}

func team(n service.Names, organization, id, name string) service.Part {
	return service.Part{Text: name, Kind: service.RefTeam, Name: n.Account(organization) + "/" + name, ID: id}
}

func robot(n service.Names, organization, id, name string) service.Part {
	login := n.Account(organization) + "+" + name
	return service.Part{Text: login, Kind: service.RefAccount, Name: login, ID: id}
}

// group is an organization, or one of its teams with its organization.
func group(n service.Names, organization, id string) service.Text {
	if id == organization {
		return service.Say(service.Account(n, organization))
	}
	name := n.Team(organization, id)
	if name == id {
		return service.Say("the team ", service.Part{Text: id, Kind: service.RefTeam, ID: id}, " of ", service.Account(n, organization))
	}
	return service.Say("the team ", team(n, organization, id, name), " of ", service.Account(n, organization))
}

func grantee(n service.Names, namespace, id, kind string) service.Text {
	if kind == events.GranteeTeam {
		return group(n, namespace, id)
	}
	return service.Say(service.Account(n, id))
}

func granted(n service.Names, namespace, repository string) service.Text {
	if repository == "" {
		return service.Say("all repositories of ", service.Account(n, namespace))
	}
	return service.Say(service.Repository(n, repository))
}
