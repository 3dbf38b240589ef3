package accounts

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"hubledger/projections"
)

// A Membership is the role of one user in an organization or a team.
type Membership struct {
	User, Name   string // of the user
	Role         string // events.RoleOwner or events.RoleMember
	Group        string // id of the team, or of the organization itself
	GroupName    string // of the team or organization
	Organization string // id
	Given
}

// A Team of an organization.
type Team struct {
	ID, Organization, Name, Description string
	Created                             time.Time
}

// inTeam joins what decides whether the row m of memberships counts, besides its
// role: the user is in the organization, and has not left it since (stayed).
const inTeam = `JOIN memberships i ON i.team = m.organization AND i.organization = m.organization AND i.account = m.account AND i.role <> ''
	LEFT JOIN departures d ON d.organization = m.organization AND d.account = m.account `

// stayed is true of a row that inTeam joins unless the user has left since.
const stayed = `AND (d.seq IS NULL OR d.seq < m.seq) `

// A membership counts while its organization or team exists, the user is not
// erased, and, for a team, the user has not left the organization since. SQLite
// reads the sides of a CROSS JOIN in this order: else it may begin with all users.
const membershipColumns = `SELECT m.account, u.name, m.role, m.team, COALESCE(t.name, o.name), m.organization, m.actor, m.time, m.seq
	FROM memberships m CROSS JOIN namespaces u CROSS JOIN namespaces o
	LEFT JOIN teams t ON t.team = m.team AND t.organization = m.organization AND t.deleted = 0
	` + inTeam + `WHERE u.namespace = m.account AND u.kind = 'user' AND o.namespace = m.organization AND o.kind = 'organization'
	AND m.role <> '' ` + stayed + `AND (m.team = m.organization OR t.team IS NOT NULL)
	AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = m.account) `

func scanMembership(row projections.Row) (Membership, error) {
	var m Membership
	var user, group, organization []byte
	var by string
	var at, seq int64
	err := row.Scan(&user, &m.Name, &m.Role, &group, &m.GroupName, &organization, &by, &at, &seq)
	m.Given = givenBy(by, at, seq)
	m.User, m.Group, m.Organization = projections.IDOf(user), projections.IDOf(group), projections.IDOf(organization)
	return m, err
}

// Membership is a user's in a team, or in an organization itself; ErrNotFound if
// they are not in it.
func (r Reader) Membership(ctx context.Context, group, user string) (*Membership, error) {
	g, err := key(group)
	if err != nil {
		return nil, err
	}
	who, err := key(user)
	if err != nil {
		return nil, err
	}
	m, err := scanMembership(r.DB.QueryRowContext(ctx, membershipColumns+`AND m.team = $1 AND m.account = $2`, g, who))
	if err != nil {
		return nil, notFound(err, "member")
	}
	return &m, nil
}

// Members lists who is in a team, or in an organization itself, by name.
func (r Reader) Members(ctx context.Context, group string) ([]Membership, error) {
	raw, err := key(group)
	if err != nil {
		return nil, err
	}
	list, err := projections.ListOf(ctx, r.DB, scanMembership, membershipColumns+`AND m.team = $1`, raw)
	slices.SortFunc(list, func(a, b Membership) int { return strings.Compare(a.Name, b.Name) }) // see Memberships
	return list, err
}

// Memberships lists the organizations and teams that a user is in, each
// organization before its teams.
func (r Reader) Memberships(ctx context.Context, user string) ([]Membership, error) {
	raw, err := key(user)
	if err != nil {
		return nil, err
	}
	// Sorted here: to have the rows in order, a planner may begin with all
	// organizations of the hub.
	list, err := projections.ListOf(ctx, r.DB, scanMembership, membershipColumns+`AND m.account = $1`, raw)
	names := map[string]string{}
	for _, m := range list {
		if m.Group == m.Organization {
			names[m.Organization] = m.GroupName
		}
	}
	slices.SortFunc(list, func(a, b Membership) int {
		inTeam := func(m Membership) int {
			if m.Group == m.Organization {
				return 0
			}
			return 1
		}
		return cmp.Or(strings.Compare(names[a.Organization], names[b.Organization]), inTeam(a)-inTeam(b), strings.Compare(a.GroupName, b.GroupName))
	})
	return list, err
}

const teamColumns = `SELECT t.team, t.organization, t.name, t.description, t.time FROM teams t WHERE t.deleted = 0 `

func scanTeam(row projections.Row) (Team, error) {
	var t Team
	var id, organization []byte
	var at int64
	err := row.Scan(&id, &organization, &t.Name, &t.Description, &at)
	t.ID, t.Organization, t.Created = projections.IDOf(id), projections.IDOf(organization), timeOf(at)
	return t, err
}

// Teams lists the teams of an organization by name.
func (r Reader) Teams(ctx context.Context, organization string) ([]Team, error) {
	raw, err := key(organization)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanTeam, teamColumns+`AND t.organization = $1 ORDER BY t.name`, raw)
}

// Team finds a team of an organization by its name; ErrNotFound if there is none.
func (r Reader) Team(ctx context.Context, organization, name string) (*Team, error) {
	raw, err := key(organization)
	if err != nil {
		return nil, err
	}
	t, err := scanTeam(r.DB.QueryRowContext(ctx, teamColumns+`AND t.organization = $1 AND t.name = $2`, raw, projections.Stored(name)))
	if err != nil {
		return nil, notFound(err, "team %s", name)
	}
	return &t, nil
}

// TeamName is the name of the team with that id, live or deleted.
func (r Reader) TeamName(ctx context.Context, id string) (name string, err error) {
	return r.nameOf(ctx, `SELECT t.name FROM teams t WHERE t.team = $1`, id)
}

// RobotName is the login name of the robot account with that id, live or deleted.
func (r Reader) RobotName(ctx context.Context, id string) (name string, err error) {
	return r.nameOf(ctx, `SELECT n.name || '+' || r.name FROM robots r JOIN namespaces n ON n.namespace = r.organization WHERE r.robot = $1`, id)
}

func (r Reader) nameOf(ctx context.Context, query, id string) (name string, err error) {
	raw, err := key(id)
	if err != nil {
		return "", err
	}
	err = r.DB.QueryRowContext(ctx, query, raw).Scan(&name)
	return name, notFound(err, "%s", id)
}
