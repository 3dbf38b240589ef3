package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// An Entry is one live repository as the catalog shows it.
type Entry struct {
	ID          string // UUIDv7
	Namespace   string // id of the namespace
	Name        string // full name, such as "alice/app" or "busybox"
	Description string // one line, "" for none
	Visibility  string // events.Public or events.Private
	Topics      []string
	Stars       int64
	Pulls       int64     // as counted in the log, up to the last full hour
	Created     time.Time // UTC, as all times here
	Pushed      time.Time // of the last push; zero when there was none
	Pulled      time.Time // of the last pull in the log; zero when there was none
}

// selectEntries selects the entries e of a source (FROM is table, source goes on
// from there), with what other tables have of them.
func selectEntries(table, source string) string {
	return `SELECT e.id, e.repo, e.namespace, e.name, e.rank, COALESCE(d.description, ''), COALESCE(d.topics, ''),
		r.time, COALESCE(p.pushed, 0), COALESCE(l.time, 0), '` + table + `' FROM ` + table + ` e
		JOIN repositories r ON r.repo = e.repo LEFT JOIN descriptions d ON d.repo = e.repo
		LEFT JOIN pushes p ON p.repo = e.repo LEFT JOIN pulled l ON l.repo = e.repo ` + source
}

type scanner interface{ Scan(...any) error }

func scanEntry(row scanner) (id int64, e Entry, err error) {
	var repo, ns []byte
	var rank, created, pushed, pulled int64
	var topics, table string
	err = row.Scan(&id, &repo, &ns, &e.Name, &rank, &e.Description, &topics, &created, &pushed, &pulled, &table)
	e.ID, e.Namespace, e.Topics = projections.IDOf(repo), projections.IDOf(ns), strings.Fields(topics)
	e.Stars, e.Pulls = starsPulls(rank)
	e.Created, e.Pushed, e.Pulled = timeOf(created), timeOf(pushed), timeOf(pulled)
	if e.Visibility = events.Private; table == publicEntries {
		e.Visibility = events.Public
	}
	return id, e, err
}

func (r Reader) entries(ctx context.Context, s *stmt) (ids []int64, list []Entry, err error) {
	rows, err := r.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		id, e, err := scanEntry(rows)
		if err != nil {
			return nil, nil, err
		}
		ids, list = append(ids, id), append(list, e)
	}
	return ids, list, rows.Err()
}

// load reads the entries of hits, in their order, without those that were deleted
// since they were found.
func (r Reader) load(ctx context.Context, hits []hit) ([]Entry, error) {
	found := make(map[int64]Entry, len(hits))
	for _, table := range []string{publicEntries, privateEntries} {
		var ids []int64
		for _, h := range hits {
			if h.table == table {
				ids = append(ids, h.id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		s := r.stmt()
		s.add("%s", selectEntries(table, "WHERE "+s.inInts("e.id", ids)))
		ids, list, err := r.entries(ctx, s)
		if err != nil {
			return nil, err
		}
		for k, id := range ids {
			found[id] = list[k]
		}
	}
	list := make([]Entry, 0, len(hits))
	for _, h := range hits {
		if e, ok := found[h.id]; ok {
			list = append(list, e)
		}
	}
	return list, nil
}

// Entry is the live repository with that id, whoever may see it; ErrNotFound if
// there is none.
func (r Reader) Entry(ctx context.Context, repo string) (*Entry, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return r.entryWhere(ctx, "e.repo = $1", id, repo)
}

// EntryByName is the live repository of that full name, whoever may see it;
// ErrNotFound if there is none.
func (r Reader) EntryByName(ctx context.Context, name string) (*Entry, error) {
	if !nameable.MatchString(name) {
		return nil, fmt.Errorf("repository %q: %w", name, ErrNotFound)
	}
	return r.entryWhere(ctx, "e.name = $1", name, name)
}

// entryWhere is the entry that fulfils a condition on e.
func (r Reader) entryWhere(ctx context.Context, condition string, arg any, what string) (*Entry, error) {
	row := r.DB.QueryRowContext(ctx, selectEntries(publicEntries, "WHERE "+condition)+" UNION ALL "+selectEntries(privateEntries, "WHERE "+condition), arg)
	_, e, err := scanEntry(row)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("repository %q: %w", what, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// OfNamespace lists a namespace's live repositories that are visible, by name in
// byte order, after the full name last, at most n.
func (r Reader) OfNamespace(ctx context.Context, namespace string, v Visible, last string, n int) ([]Entry, error) {
	id, err := projections.IDBytes(namespace)
	if err != nil {
		return nil, err
	}
	if last != "" && !nameable.MatchString(last) {
		return nil, fmt.Errorf("%w: %q is not a name", ErrQuery, last)
	}
	return r.visible(ctx, v, n, func(s *stmt) string {
		return "e.namespace = " + s.arg(id) + " AND e.name > " + s.arg(last)
	})
}

// visible lists the visible entries that fulfil a condition, by name, at most n.
func (r Reader) visible(ctx context.Context, v Visible, n int, condition condition) ([]Entry, error) {
	list, err := scopes(v, "")
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, sc := range list {
		s := r.stmt()
		source := "WHERE " + condition(s)
		if sc.only != nil {
			source = where(source, s.inTexts("e.name", sc.only))
		}
		s.add("%s ORDER BY e.name LIMIT %s", selectEntries(sc.table, where(source, sc.conditions(s)...)), s.arg(n))
		_, found, err := r.entries(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all[:min(n, len(all))], nil
}
