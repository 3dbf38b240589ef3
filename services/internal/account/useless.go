package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hubledger/events"
)

// ErrUseless: a role would give its grantee nothing that is not there already. Whoever
// reads the list of grants would think that withdrawing it took something away.
var ErrUseless = errors.New("this role would give nothing")

var roleOrder = []string{events.RoleRead, events.RoleWrite, events.RoleAdmin}

// refuseUseless is ErrUseless for a role that owners have without it, that the same
// grantee has on the whole namespace, or that top-level images do not have. A role that
// is there already may be given again: that changes nothing.
func refuseUseless(ctx context.Context, read Grantees, on Role, grantee, role string) error {
	const library = "library" // only administrators of the hub push there: see package access
	if on.Namespace.Name == library && role != events.RoleRead {
		return fmt.Errorf("%w: only administrators of the hub push top-level images, so give the role read", ErrUseless)
	}
	owner := on.Namespace.Kind == events.KindUser && on.Namespace.ID == grantee
	roles, err := read.Roles(ctx, grantee, on.Namespace.ID, on.Repository)
	if err != nil {
		return err
	}
	wide := ""
	for _, has := range roles {
		switch {
		case has.Member:
			owner = owner || has.Role == events.RoleOwner
		case has.Team != "": // membership of a team can end; the grantee's own roles stay
		case has.Wide == (on.Repository == "") && has.Role == role:
			return nil
		case has.Wide:
			wide = has.Role
		}
	}
	switch {
	case owner:
		return fmt.Errorf("%w: %s owns %s and may do everything there", ErrUseless, on.Grantee, on.Namespace.Name)
	case wide != "" && on.Repository != "" && slices.Index(roleOrder, role) <= slices.Index(roleOrder, wide):
		return fmt.Errorf("%w: %s has the role %s on all of %s", ErrUseless, on.Grantee, wide, on.Namespace.Name)
	}
	return nil
}
