package deploys

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// chunk bounds how many things one query asks for.
const chunk = 200

// keys are ids as they are stored, as the arguments of a query; those that are no UUIDs are
// left out.
func keys(ids []string) (args []any) {
	for _, id := range ids {
		if raw, err := key(id); err == nil {
			args = append(args, raw)
		}
	}
	return args
}

// AllApplications lists at most n of all namespaces, behind a full name.
func (r Reader) AllApplications(ctx context.Context, after string, n int) ([]Application, error) {
	return projections.ListOf(ctx, r.DB, scanApplication, applicationColumns+`WHERE a.live = 1 AND a.name > $1 ORDER BY a.name LIMIT $2`, after, n)
}

// ApplicationsIn is AllApplications of those namespaces, by their ids. It goes along the index of
// names until it has found n.
func (r Reader) ApplicationsIn(ctx context.Context, namespaces []string, after string, n int) ([]Application, error) {
	args := keys(namespaces)
	if len(args) == 0 {
		return nil, nil
	}
	marks := projections.Marks(3, len(args))
	return projections.ListOf(ctx, r.DB, scanApplication, applicationColumns+`WHERE a.live = 1 AND a.name > $1 AND CASE WHEN a.namespace IN (`+marks+`) THEN 1 ELSE 0 END = 1 ORDER BY a.name LIMIT $2`,
		append([]any{after, n}, args...)...)
}

// UsersOf lists at most n applications, by id, that live and ever had a release with an image of a
// repository, in those namespaces, by ids; nil namespaces are all.
func (r Reader) UsersOf(ctx context.Context, repository string, namespaces []string, n int) ([]string, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	where, args := "", []any{raw, n}
	if namespaces != nil {
		in := keys(namespaces)
		where = ` AND a.namespace IN (` + projections.Marks(3, len(in)) + `)`
		args = append(args, in...)
	}
	return projections.ListOf(ctx, r.DB, scanID, `SELECT u.application FROM uses u JOIN applications a ON a.application = u.application AND a.live = 1 WHERE u.repository = $1`+where+` ORDER BY u.application LIMIT $2`, args...)
}

// An EnvironmentNow is an environment that lives, with the sequence of its latest event.
type EnvironmentNow struct {
	ID, Application string // ids
	Name            string
	Version         int // of its configuration
	Seq             uint64
}

// EnvironmentsNow are those of applications, by their ids: by application, then by name.
func (r Reader) EnvironmentsNow(ctx context.Context, applications []string) (all []EnvironmentNow, err error) {
	for part := range slices.Chunk(keys(applications), chunk) {
		list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (e EnvironmentNow, err error) {
			var id, application []byte
			err = row.Scan(&id, &application, &e.Name, &e.Version, &e.Seq)
			e.ID, e.Application = projections.IDOf(id), projections.IDOf(application)
			return e, err
		}, `SELECT e.environment, e.application, e.name, COALESCE((SELECT MAX(c.version) FROM configurations c WHERE c.environment = e.environment), 0), l.seq
			FROM environments e JOIN latest l ON l.environment = e.environment WHERE e.live = 1 AND e.application IN (`+projections.Marks(1, len(part))+`)`, part...)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b EnvironmentNow) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// EnvironmentsThen lists at most n environments, also of those that were deleted since, that were
// there at a time or, when that is zero, with an event: in those namespaces, by ids, nil for all,
// and on a host of that name at any time, "" for all hosts; by their ids, behind one. Of the
// applications only ids and names are read.
func (r Reader) EnvironmentsThen(ctx context.Context, namespaces []string, host, after string, at time.Time, seq uint64, n int) (list []EnvironmentThen, err error) {
	behind := []byte{}
	if after != "" {
		if behind, err = key(after); err != nil {
			return nil, err
		}
	}
	column, then := "seq", int64(seq)
	if !at.IsZero() {
		column, then = "time", at.UnixMicro()
	}
	where, args := fmt.Sprintf(`e.environment > $1 AND CASE WHEN e.live = 1 THEN e.%[1]s <= $2 ELSE e.%[1]s > $2 END AND (a.live = 1 OR a.%[1]s > $2)`, column), []any{behind, then, n}
	if host != "" {
		args = append(args, projections.Stored(host))
		where += fmt.Sprintf(` AND EXISTS (SELECT 1 FROM placed p WHERE p.environment = e.environment AND p.name = $%d)`, len(args))
	}
	if namespaces != nil {
		in := keys(namespaces)
		where += ` AND CASE WHEN a.namespace IN (` + projections.Marks(len(args)+1, len(in)) + `) THEN 1 ELSE 0 END = 1` // along the ids, as they are wanted
		args = append(args, in...)
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (e EnvironmentThen, err error) {
		var id, application, namespace []byte
		err = row.Scan(&id, &e.Name, &application, &namespace, &e.Application.Name)
		e.ID, e.Application.ID, e.Application.Namespace = projections.IDOf(id), projections.IDOf(application), projections.IDOf(namespace)
		return e, err
	}, `SELECT e.environment, e.name, e.application, a.namespace, a.name FROM environments e JOIN applications a ON a.application = e.application WHERE `+where+` ORDER BY e.environment LIMIT $3`, args...)
}

// An EnvironmentThen is an environment as it was called at a time.
type EnvironmentThen struct {
	ID, Name    string
	Application Application
}

// of is a happening of an environment or of a deployment.
type of struct {
	id string
	Happening
}

// grouped are happenings by what they are of, in the order of the log.
func (r Reader) grouped(ctx context.Context, ids []string, query func(marks string) string) (map[string][]Happening, error) {
	all := map[string][]Happening{}
	for part := range slices.Chunk(keys(ids), chunk) {
		list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (out of, err error) {
			var id []byte
			out.Happening, err = scanHappening(behind{row, &id})
			out.id = projections.IDOf(id)
			return out, err
		}, query(projections.Marks(1, len(part))), part...)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			all[h.id] = append(all[h.id], h.Happening)
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b Happening) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return all, nil
}

// behind is a row with one more column before those that are asked for.
type behind struct {
	projections.Row
	first any
}

func (b behind) Scan(to ...any) error { return b.Row.Scan(append([]any{b.first}, to...)...) }

const happeningOf = `h.seq, h.type, h.data, h.time, h.actor, h.event, h.correlation `

// SinceOf is Since of several environments, by id.
func (r Reader) SinceOf(ctx context.Context, environments []string) (map[string][]Happening, error) {
	return r.grouped(ctx, environments, func(marks string) string {
		return `SELECT h.environment, ` + happeningOf + `FROM environments e JOIN history h ON h.environment = e.environment
			AND h.seq >= COALESCE((SELECT MAX(d.seq) FROM deployments d WHERE d.environment = e.environment), 0) WHERE e.environment IN (` + marks + `)`
	})
}

// StepsOf is Deployment of several deployments, by id, without what gates have found and without
// what was waited for: of these there may be many.
func (r Reader) StepsOf(ctx context.Context, deployments []string) (map[string][]Happening, error) {
	return r.grouped(ctx, deployments, func(marks string) string {
		return `SELECT h.deployment, ` + happeningOf + `FROM history h WHERE h.deployment IN (` + marks + `) AND h.type <> '` + events.DeploymentGateChanged{}.EventType() + `' AND h.type <> '` + events.DeploymentOverdue{}.EventType() + `'`
	})
}

// A ReleaseID is a release of an application, by its id.
type ReleaseID struct {
	Application string
	Number      int
}

// ReleasesOf are releases; those that there are not are left out.
func (r Reader) ReleasesOf(ctx context.Context, ids []ReleaseID) (map[ReleaseID]*Release, error) {
	all := map[ReleaseID]*Release{}
	for part := range slices.Chunk(ids, chunk/2) {
		where, args := "", []any{}
		for _, id := range part {
			raw, err := key(id.Application)
			if err != nil {
				continue
			}
			if where != "" {
				where += " OR "
			}
			where += fmt.Sprintf("r.application = $%d AND r.number = $%d", len(args)+1, len(args)+2)
			args = append(args, raw, id.Number)
		}
		if where == "" {
			continue
		}
		type row struct {
			application []byte
			Release
		}
		list, err := projections.ListOf(ctx, r.DB, func(from projections.Row) (out row, err error) {
			out.Release, err = scanRelease(behind{from, &out.application})
			return out, err
		}, `SELECT r.application, r.number, r.digest, r.images, r.configurations, r.note, r.time, r.actor, r.seq FROM releases r WHERE `+where, args...)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			all[ReleaseID{projections.IDOf(one.application), one.Number}] = &one.Release
		}
	}
	return all, nil
}
