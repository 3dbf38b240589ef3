package access

import (
	"context"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// liveHost is Live for a host: it is one as long as it is enrolled.
func (r *Rights) liveHost(ctx context.Context, p Principal) (Principal, error) {
	m, err := r.cfg.Read.Machine(ctx, p.ID)
	switch {
	case err != nil && !isUnknown(err):
		return Nobody, err
	case err != nil || m.State != accounts.MachineEnrolled || m.Kind != events.MachineHost:
		return Nobody, ErrAccount
	}
	return p, r.refuseParked(p, []string{events.MachineSubject(m.Name)})
}

// ofHost is Repository for a host, which reads what its token names and nothing else.
func (r *Rights) ofHost(ctx context.Context, p Principal, name string) (Decision, error) {
	s, place, err := r.look(ctx, Nobody, NamespaceOf(name), name)
	if err != nil || p.Limit == nil || place.Repository == nil {
		return Decision{}, err
	}
	d := Decision{Level: Read, Repository: place.Repository, Namespace: place.Namespace}
	return p.Limit.on(d, name), r.refuseParked(p, s.dependsOn)
}
