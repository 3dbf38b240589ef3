package images

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// dead is true of a manifest m (left-joined to its revival r) that was deleted
// after its latest push or revival, by a deletion that nobody undid.
const dead = `EXISTS (SELECT 1 FROM deletions d WHERE d.repo = m.repo AND d.digest = m.digest
	AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0))`

// lastPushed is when a manifest m, left-joined to its revival r, was pushed last.
const lastPushed = `CASE WHEN COALESCE(r.pushed, 0) > m.time THEN r.pushed ELSE m.time END`

// liveHolds joins the holds h with what dead looks at: a hold counts while its
// manifest is not dead. It does not look at the repository.
const liveHolds = `holds h JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
	LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest`

// gone is true of a tag t whose manifest was deleted after the tag was set. Only
// setting the tag again brings it back, or undoing the deletion; a push of the
// manifest does not, so manifests are not joined.
const gone = `EXISTS (SELECT 1 FROM deletions d WHERE d.repo = t.repo AND d.digest = t.digest
	AND d.undone = 0 AND d.deletion > t.seq)`

// Reader queries the read model.
type Reader struct{ DB projections.DB }

// A Repository is the live repository that a name stands for.
type Repository struct {
	ID        string // UUIDv7
	Namespace string // id of the namespace
	Name      string // full name
	Policy    events.RepositoryPolicy
}

// Repository finds the live repository of that name; ErrNotFound if there is none.
func (r Reader) Repository(ctx context.Context, name string) (*Repository, error) {
	var id, ns []byte
	var policy string
	err := r.DB.QueryRowContext(ctx, `SELECT n.repo, n.namespace, COALESCE(p.policy, '')
		FROM names n LEFT JOIN policies p ON p.repo = n.repo WHERE n.name = $1 AND n.deleted = 0`, name).Scan(&id, &ns, &policy)
	if err != nil {
		return nil, notFound(err, "repository %s", name)
	}
	repo := &Repository{ID: projections.IDOf(id), Namespace: projections.IDOf(ns), Name: name}
	if repo.Policy, err = policyOf(policy); err != nil {
		return nil, fmt.Errorf("policy of %s: %w", name, err)
	}
	return repo, nil
}

// RepositoryName is the full name of the repository with that id, live or deleted.
func (r Reader) RepositoryName(ctx context.Context, id string) (string, error) {
	key, err := projections.IDBytes(id)
	if err != nil {
		return "", err
	}
	var name string
	err = r.DB.QueryRowContext(ctx, `SELECT name FROM repositories WHERE repo = $1`, key).Scan(&name)
	return name, notFound(err, "repository %s", id)
}

// A Stored manifest is its bytes, with the media type of its push.
type Stored struct {
	Digest    digest.Digest
	MediaType string
	Bytes     []byte
	Seq       uint64 // of the latest push
}

// ManifestByTag resolves a live tag; ErrNotFound if there is none.
func (r Reader) ManifestByTag(ctx context.Context, repo, tag string) (*Stored, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return scanStored(r.DB.QueryRowContext(ctx, `SELECT m.digest, m.media_type, m.bytes, m.seq
		FROM tags t JOIN manifests m ON m.repo = t.repo AND m.digest = t.digest
		WHERE t.repo = $1 AND t.tag = $2 AND t.deleted = 0 AND NOT `+gone, key, tag), tag)
}

// Manifest finds a live manifest by its digest; ErrNotFound if there is none.
func (r Reader) Manifest(ctx context.Context, repo string, d digest.Digest) (*Stored, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	return scanStored(r.DB.QueryRowContext(ctx, `SELECT m.digest, m.media_type, m.bytes, m.seq
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $2 AND NOT `+dead, key, sum), d.String())
}

// HasManifest says whether a repository has a live manifest.
func (r Reader) HasManifest(ctx context.Context, repo string, d digest.Digest) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $2 AND NOT `+dead, key, sum))
}

func scanStored(row *sql.Row, what string) (*Stored, error) {
	var s Stored
	var sum []byte
	if err := row.Scan(&sum, &s.MediaType, &s.Bytes, &s.Seq); err != nil {
		return nil, notFound(err, "manifest %s", what)
	}
	s.Digest = DigestOf(sum)
	return &s, nil
}

// HoldsBlob says whether a live manifest of the repository needs the blob.
func (r Reader) HoldsBlob(ctx context.Context, repo string, d digest.Digest) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM holds h
		JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE h.blob = $1 AND h.repo = $2 AND NOT `+dead+` LIMIT 1`, sum, key))
}

// Tags lists live tags after last in byte order, at most n.
func (r Reader) Tags(ctx context.Context, repo, last string, n int) ([]string, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return stringsOf(r.DB.QueryContext(ctx, `SELECT t.tag FROM tags t
		WHERE t.repo = $1 AND t.tag > $2 AND t.deleted = 0 AND NOT `+gone+` ORDER BY t.tag LIMIT $3`, key, last, n))
}

// rowKey are a repository and a digest as the tables hold them.
func rowKey(repo string, d digest.Digest) (id, sum []byte, err error) {
	if id, err = projections.IDBytes(repo); err == nil {
		sum, err = DigestBytes(d)
	}
	return id, sum, err
}

func stringsOf(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []string{}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func notFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf(format+": %w", append(args, ErrNotFound)...)
	}
	return err
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

func exists(row *sql.Row) (bool, error) {
	var one int
	err := row.Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
