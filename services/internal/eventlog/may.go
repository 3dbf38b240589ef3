package eventlog

import (
	"context"

	"hubledger/projections/trail"
	"hubledger/services/internal/access"
)

// MayRead is the rule of who may read an event: administrators of the hub all of them,
// everybody else those of their audiences; see trail.AudienceOf for what is whose. It
// goes by ids and by the rights of today, also for what was deleted. public has the
// repositories of the event's audiences that everybody may see.
func MayRead(e *trail.Entry, h *access.Holdings, public map[string]bool) bool {
	if h.All && h.Whole {
		return true
	}
	for _, a := range e.Audiences {
		var level, need access.Level
		switch a.Kind {
		case trail.RepositoryReader:
			level, need = h.On(e.Namespace, a.ID, public[a.ID]), access.Read
		case trail.RepositoryWriter:
			level, need = h.On(e.Namespace, a.ID, public[a.ID]), access.Write
		case trail.RepositoryAdmin:
			level, need = h.On(e.Namespace, a.ID, public[a.ID]), access.Admin
		case trail.NamespaceMember:
			level, need = h.OnNamespace(a.ID), access.Read
		case trail.NamespaceOwner:
			level, need = h.OnNamespace(a.ID), access.Admin
		case trail.User:
			if h.Whole && h.Account == a.ID {
				return true
			}
			continue
		default:
			continue
		}
		if level >= need {
			return true
		}
	}
	return false
}

// readable are those of the sequences whose events the holder may read, in their order.
func (r *Reader) readable(ctx context.Context, h *access.Holdings, seqs []uint64) ([]uint64, error) {
	if h.All && h.Whole {
		return seqs, nil
	}
	list, err := r.trail.Entries(ctx, seqs)
	if err != nil {
		return nil, err
	}
	public, err := r.public(ctx, h, list)
	if err != nil {
		return nil, err
	}
	may := map[uint64]bool{}
	for k := range list {
		may[list[k].Seq] = MayRead(&list[k], h, public)
	}
	var kept []uint64
	for _, seq := range seqs {
		if may[seq] {
			kept = append(kept, seq)
		}
	}
	return kept, nil
}

// public finds out which repositories of the entries everybody may see.
func (r *Reader) public(ctx context.Context, h *access.Holdings, list []trail.Entry) (map[string]bool, error) {
	if !h.Public {
		return nil, nil
	}
	asked := map[string]bool{}
	var ids []string
	for _, e := range list {
		for _, a := range e.Audiences {
			if a.Kind == trail.RepositoryReader && !asked[a.ID] {
				asked[a.ID] = true
				ids = append(ids, a.ID)
			}
		}
	}
	return r.Accounts.Public(ctx, ids)
}
