package accounts

import (
	"context"
	"strings"
	"time"

	"hubledger/projections"
)

// States of machines.
const (
	MachineInvited  = "invited"
	MachineEnrolled = "enrolled"
	MachineRevoked  = "revoked"
)

// A Machine is a machine that works for the hub, such as a builder or a host.
type Machine struct {
	ID, Name, Kind string
	State          string
	Key            string    // its NKey, the public half, when it is enrolled
	Expires        time.Time // of the invitation
	// Namespaces are the ids of those whose applications a host may run; none: of all.
	Namespaces []string
	Actor      string    // who has brought it to this state
	Since      time.Time // when
}

const machineColumns = `SELECT m.machine, m.name, m.kind, m.state, m.public_key, m.expires, m.namespaces, m.actor, m.time FROM machines m `

func scanMachine(row projections.Row) (Machine, error) {
	var m Machine
	var id []byte
	var namespaces string
	var expires, since int64
	err := row.Scan(&id, &m.Name, &m.Kind, &m.State, &m.Key, &expires, &namespaces, &m.Actor, &since)
	m.ID, m.Expires, m.Since = projections.IDOf(id), timeOf(expires), timeOf(since)
	if namespaces != "" {
		m.Namespaces = strings.Split(namespaces, ",")
	}
	return m, err
}

func (r Reader) machine(ctx context.Context, where string, args ...any) (*Machine, error) {
	m, err := scanMachine(r.DB.QueryRowContext(ctx, machineColumns+where, args...))
	if err != nil {
		return nil, notFound(err, "machine")
	}
	return &m, nil
}

// Machine is the machine of an id. ErrNotFound.
func (r Reader) Machine(ctx context.Context, id string) (*Machine, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	return r.machine(ctx, `WHERE m.machine = $1`, raw)
}

// MachineByKey is the enrolled machine with that NKey. ErrNotFound.
func (r Reader) MachineByKey(ctx context.Context, public string) (*Machine, error) {
	return r.machine(ctx, `WHERE m.public_key = $1 AND m.state = $2`, public, MachineEnrolled)
}

// MachineByToken is the machine that was invited by a token, by its SHA-256, expired or
// not. ErrNotFound, also when it has enrolled.
func (r Reader) MachineByToken(ctx context.Context, sum []byte) (*Machine, error) {
	return r.machine(ctx, `WHERE m.hash = $1 AND m.state = $2`, sum, MachineInvited)
}

// Machines lists those of a kind that are enrolled, or can enroll at that time, by name.
func (r Reader) Machines(ctx context.Context, kind string, at time.Time) ([]Machine, error) {
	return projections.ListOf(ctx, r.DB, scanMachine, machineColumns+`WHERE m.kind = $1 AND (m.state = $2 OR m.state = $3 AND m.expires > $4) ORDER BY m.name`,
		kind, MachineEnrolled, MachineInvited, at.UnixMicro())
}
