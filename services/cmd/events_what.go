package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// what names an event's object for people.
func (h *hub) what(ctx context.Context, e *events.Event) string {
	p, err := events.Decode(e)
	if err != nil {
		return e.Subject
	}
	if text := h.whatImage(ctx, p); text != "" {
		return text
	}
	if text := h.whatAccount(ctx, p); text != "" {
		return text
	}
	return e.Subject
}

func (h *hub) whatImage(ctx context.Context, p events.Payload) string {
	image := func(repo, tag string, d digest.Digest) string {
		text := h.repositoryName(ctx, repo)
		if tag != "" {
			text += ":" + tag
		}
		if d != "" {
			text += "@" + short(d.String())
		}
		return text
	}
	switch p := p.(type) {
	case events.RepositoryCreated:
		return p.Name
	case events.RepositoryDeleted:
		return p.Name
	case events.RepositoryRestored:
		return p.Name
	case events.RepositoryPolicyChanged:
		return p.Name
	case events.RepositoryDescribed:
		return p.Name
	case events.RepositoryVisibilityChanged:
		return p.Name + " " + p.Visibility
	case events.ImagePushed:
		return image(p.Repository, p.Tag, p.Digest)
	case events.TagDeleted:
		return image(p.Repository, p.Tag, "")
	case events.TagRestored:
		return image(p.Repository, p.Tag, "")
	case events.ManifestDeleted:
		return image(p.Repository, "", p.Digest)
	case events.ManifestRestored:
		return image(p.Repository, "", p.Digest)
	case events.StarGiven:
		return image(p.Repository, "", "")
	case events.StarWithdrawn:
		return image(p.Repository, "", "")
	case events.BlobsSwept:
		return fmt.Sprintf("%d blobs", len(p.Blobs))
	case events.PullsCounted:
		return fmt.Sprintf("%d repositories in the hour of %s", len(p.Repositories), p.From.Format(time.DateTime))
	}
	return ""
}

func (h *hub) whatAccount(ctx context.Context, p events.Payload) string {
	name := func(id string) string { return h.accountName(ctx, id) }
	switch p := p.(type) {
	case events.HubInitialized:
		return "first administrator " + name(p.Admin)
	case events.NamespaceCreated:
		return strings.TrimSpace(p.Kind + " " + p.Name)
	case events.NamespaceAdopted:
		return p.Kind + " " + p.Name
	case events.QuotaSet:
		return fmt.Sprintf("%s: %d bytes, %d images", name(p.Namespace), p.Bytes, p.Images)
	case events.UserStandingChanged:
		return fmt.Sprintf("%s: admin %t, disabled %t", name(p.User), p.Admin, p.Disabled)
	case events.UserPasswordChanged:
		return name(p.User)
	case events.UserEmailChanged:
		return name(p.User)
	case events.UserErased:
		return name(p.User)
	case events.MembershipGranted:
		return name(p.User) + " " + p.Role + " of " + h.groupName(ctx, p.Organization, p.Group)
	case events.MembershipRevoked:
		return name(p.User) + " in " + h.groupName(ctx, p.Organization, p.Group)
	case events.TeamCreated:
		return name(p.Organization) + " team " + p.Name
	case events.TeamDeleted:
		return name(p.Organization) + " team " + p.Name
	case events.RobotCreated:
		return name(p.Organization) + "+" + p.Name
	case events.RobotDeleted:
		return name(p.Organization) + "+" + p.Name
	case events.GrantGiven:
		return fmt.Sprintf("%s to %s on %s", p.Role, h.granteeName(ctx, p.Namespace, p.Grantee, p.GranteeKind), h.grantedName(ctx, p.Namespace, p.Repository))
	case events.GrantWithdrawn:
		return fmt.Sprintf("%s on %s", h.granteeName(ctx, p.Namespace, p.Grantee, p.GranteeKind), h.grantedName(ctx, p.Namespace, p.Repository))
	case events.TokenIssued:
		return fmt.Sprintf("%s token %q of %s, %s", p.Kind, p.Name, name(p.Owner), p.Level)
	case events.TokenRevoked:
		return "token " + p.Token
	case events.LoginsRefused:
		return fmt.Sprintf("%d logins refused from %d addresses", p.Attempts, p.Addresses)
	}
	return ""
}

// A name that is not known (any more) is shown by its id.

func (h *hub) repositoryName(ctx context.Context, id string) string {
	if name, err := h.registry.Images.RepositoryName(ctx, id); err == nil {
		return name
	}
	return id
}

func (h *hub) accountName(ctx context.Context, id string) string {
	if a, err := h.people().AccountByID(ctx, id); err == nil {
		return a.Name
	}
	if ns, err := h.people().NamespaceByID(ctx, id); err == nil {
		return ns.Name
	}
	return id
}

func (h *hub) groupName(ctx context.Context, organization, group string) string {
	if group == organization {
		return h.accountName(ctx, organization)
	}
	teams, err := h.people().Teams(ctx, organization)
	for _, t := range teams {
		if err == nil && t.ID == group {
			return h.accountName(ctx, organization) + " team " + t.Name
		}
	}
	return group
}

func (h *hub) granteeName(ctx context.Context, namespace, id, kind string) string {
	if kind == events.GranteeTeam {
		return h.groupName(ctx, namespace, id)
	}
	return h.accountName(ctx, id)
}

func (h *hub) grantedName(ctx context.Context, namespace, repository string) string {
	if repository == "" {
		return "all of " + h.accountName(ctx, namespace)
	}
	return h.repositoryName(ctx, repository)
}

func (h *hub) people() accounts.Reader {
	return accounts.Reader{DB: h.view(accounts.Projection.Name)}
}
