package account

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/plaintext"
)

func checkMembership(p events.MembershipGranted) error {
	if err := checkIDs(p.Organization, p.Group, p.User); err != nil {
		return err
	}
	if p.Role != events.RoleMember && (p.Role != events.RoleOwner || p.Group != p.Organization) {
		return fmt.Errorf("%w: a role is member, or in the organization itself owner", ErrInvalid)
	}
	return nil
}

// GrantMembership makes a user a member of a team or of an organization, whose
// id is then also the group's, or changes their role there. ErrInvalid.
func GrantMembership(ctx context.Context, log command.Log, by command.By, organization, group, user, role string) (uint64, error) {
	p := events.MembershipGranted{Organization: organization, Group: group, User: user, Role: role}
	if err := checkMembership(p); err != nil {
		return 0, err
	}
	if group == organization {
		return command.Decide(ctx, log, by, p.Subject(), same(p))
	}
	// Leaving the organization ends memberships in its teams without events of
	// their own. So what was said of the team before the latest event of the
	// membership in the organization does not count.
	_, since, err := command.Latest(ctx, log, events.MembershipSubject(organization, organization, user))
	if err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
		if seq < since {
			last = nil
		}
		return same(p)(last, seq)
	})
}

// RevokeMembership ends a membership. ErrUnknown when there never was one.
func RevokeMembership(ctx context.Context, log command.Log, by command.By, organization, group, user string) (uint64, error) {
	if err := checkIDs(organization, group, user); err != nil {
		return 0, err
	}
	p := events.MembershipRevoked{Organization: organization, Group: group, User: user}
	return command.Decide(ctx, log, by, p.Subject(), ending(p))
}

// ending is same for a fact that ends something. ErrUnknown when there never
// was anything to end.
func ending[P interface {
	comparable
	events.Payload
}](p P) func(events.Payload, uint64) (events.Payload, error) {
	return func(last events.Payload, seq uint64) (events.Payload, error) {
		if last == nil {
			return nil, ErrUnknown
		}
		return same(p)(last, seq)
	}
}

// CreateTeam makes a team of an organization. ErrName, ErrTaken, ErrInvalid.
func CreateTeam(ctx context.Context, log command.Log, by command.By, organization, name, description string) (id string, seq uint64, err error) {
	if id, err = newLocal(organization, name, description); err != nil {
		return "", 0, err
	}
	p := events.TeamCreated{Organization: organization, Team: id, Name: name, Description: description}
	seq, err = command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if _, lives := last.(events.TeamCreated); lives {
			return nil, fmt.Errorf("team %s: %w", name, ErrTaken)
		}
		return p, nil
	})
	return id, seq, err
}

// DeleteTeam ends the team of that name with its memberships and grants. ErrUnknown.
func DeleteTeam(ctx context.Context, log command.Log, by command.By, organization, name string) (uint64, error) {
	if err := checkIDs(organization); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.TeamSubject(organization, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		made, lives := last.(events.TeamCreated)
		if !lives {
			return nil, fmt.Errorf("team %s: %w", name, ErrUnknown)
		}
		return events.TeamDeleted{Organization: organization, Team: made.Team, Name: name}, nil
	})
}

// CreateRobot makes a robot account of an organization. ErrName, ErrTaken, ErrInvalid.
func CreateRobot(ctx context.Context, log command.Log, by command.By, organization, name, description string) (id string, seq uint64, err error) {
	if id, err = newLocal(organization, name, description); err != nil {
		return "", 0, err
	}
	p := events.RobotCreated{Organization: organization, Robot: id, Name: name, Description: description}
	seq, err = command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if _, lives := last.(events.RobotCreated); lives {
			return nil, fmt.Errorf("robot account %s: %w", name, ErrTaken)
		}
		return p, nil
	})
	return id, seq, err
}

// DeleteRobot ends the robot account of that name with its tokens and grants. ErrUnknown.
func DeleteRobot(ctx context.Context, log command.Log, by command.By, organization, name string) (uint64, error) {
	if err := checkIDs(organization); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.RobotSubject(organization, name), func(last events.Payload, _ uint64) (events.Payload, error) {
		made, lives := last.(events.RobotCreated)
		if !lives {
			return nil, fmt.Errorf("robot account %s: %w", name, ErrUnknown)
		}
		return events.RobotDeleted{Organization: organization, Robot: made.Robot, Name: name}, nil
	})
}

// maxDescription bounds the description of a team or robot account in bytes.
const maxDescription = 500

// newLocal is the id of a new team or robot account, if it may be made.
func newLocal(organization, name, description string) (string, error) {
	if err := checkIDs(organization); err != nil {
		return "", err
	}
	if err := CheckLocalName(name); err != nil {
		return "", err
	}
	if len(description) > maxDescription || !plaintext.IsLine(description) {
		return "", fmt.Errorf("%w: a description is one line of at most %d bytes of UTF-8, without control characters and such that turn the direction of writing", ErrInvalid, maxDescription)
	}
	return command.NewID()
}
