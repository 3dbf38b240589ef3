package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
)

// ErrNotFound says that the read model has no live row for what was asked.
var ErrNotFound = errors.New("not found")

// dead is true of a manifest m (left-joined to its revival r) that was deleted
// after its latest push or revival, by a deletion that nobody undid.
const dead = `EXISTS (SELECT 1 FROM deletions d WHERE d.repo = m.repo AND d.digest = m.digest
	AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0))`

// gone is true of a tag t whose manifest was deleted later than the tag was
// set. A tag is never older than the last revival of its own making, so that
// the manifest itself needs no look.
const gone = `EXISTS (SELECT 1 FROM deletions d WHERE d.repo = t.repo AND d.digest = t.digest
	AND d.undone = 0 AND d.deletion > t.seq)`

// DB is what a Reader reads: an *sql.DB, or whatever stands for the live build.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Reader answers questions about the read model.
type Reader struct{ DB DB }

// A Repository is a name's current bearer.
type Repository struct {
	ID        string // UUIDv7
	Namespace string // id of the namespace
	Name      string // full name
	Policy    events.RepositoryPolicy
}

// Repository finds the live repository of that name. ErrNotFound.
func (r Reader) Repository(ctx context.Context, name string) (*Repository, error) {
	var id, ns []byte
	var sparse int
	err := r.DB.QueryRowContext(ctx, `SELECT n.repo, n.namespace, COALESCE(p.sparse_indexes, 0)
		FROM names n LEFT JOIN policies p ON p.repo = n.repo WHERE n.name = $1 AND n.deleted = 0`, name).Scan(&id, &ns, &sparse)
	if err != nil {
		return nil, notFound(err, "repository %s", name)
	}
	return &Repository{IDOf(id), IDOf(ns), name, events.RepositoryPolicy{SparseIndexes: sparse != 0}}, nil
}

// RepositoryName is the full name of the repository with that id, live or deleted.
func (r Reader) RepositoryName(ctx context.Context, id string) (string, error) {
	key, err := IDBytes(id)
	if err != nil {
		return "", err
	}
	var name string
	err = r.DB.QueryRowContext(ctx, `SELECT name FROM repositories WHERE repo = $1`, key).Scan(&name)
	return name, notFound(err, "repository %s", id)
}

// A Stored manifest is its bytes and what the push said of them.
type Stored struct {
	Digest    digest.Digest
	MediaType string
	Bytes     []byte
	Seq       uint64 // of the latest push
}

// ManifestByTag resolves a live tag. ErrNotFound.
func (r Reader) ManifestByTag(ctx context.Context, repo, tag string) (*Stored, error) {
	key, err := IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return scanStored(r.DB.QueryRowContext(ctx, `SELECT m.digest, m.media_type, m.bytes, m.seq
		FROM tags t JOIN manifests m ON m.repo = t.repo AND m.digest = t.digest
		WHERE t.repo = $1 AND t.tag = $2 AND t.deleted = 0 AND NOT `+gone, key, tag), tag)
}

// Manifest finds a live manifest by its digest. ErrNotFound.
func (r Reader) Manifest(ctx context.Context, repo string, d digest.Digest) (*Stored, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	return scanStored(r.DB.QueryRowContext(ctx, `SELECT m.digest, m.media_type, m.bytes, m.seq
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $2 AND NOT `+dead, key, sum), d.String())
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

// Tags lists live tags behind last in byte order, at most n.
func (r Reader) Tags(ctx context.Context, repo, last string, n int) ([]string, error) {
	key, err := IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return stringsOf(r.DB.QueryContext(ctx, `SELECT t.tag FROM tags t
		WHERE t.repo = $1 AND t.tag > $2 AND t.deleted = 0 AND NOT `+gone+` ORDER BY t.tag LIMIT $3`, key, last, n))
}

// Catalog lists live repositories behind last in byte order, at most n.
func (r Reader) Catalog(ctx context.Context, last string, n int) ([]string, error) {
	return stringsOf(r.DB.QueryContext(ctx,
		`SELECT name FROM names WHERE name > $1 AND deleted = 0 ORDER BY name LIMIT $2`, last, n))
}

// maxReferrers bounds the annotations of one page of referrers, in bytes.
const maxReferrers = 4 << 20

// Referrers lists the live manifests whose subject is d, ordered by digest;
// whether d itself is there does not matter. It begins behind the digest last,
// if that is not empty, and returns those of one artifact type, if that is not
// empty: at most n, or as many as come to 4 MiB. more says that others follow.
func (r Reader) Referrers(ctx context.Context, repo string, d digest.Digest, artifactType string, last digest.Digest, n int) (list []v1.Descriptor, more bool, err error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, false, err
	}
	behind := []byte{}
	if last != "" {
		if behind, err = DigestBytes(last); err != nil {
			return nil, false, err
		}
	}
	// A referrer's own row has the sequence of its push: manifests are not asked.
	rows, err := r.DB.QueryContext(ctx, `SELECT m.digest, m.media_type, m.artifact_type, m.size, m.annotations
		FROM referrers m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.subject = $2 AND m.digest > $3 AND ($4 = '' OR m.artifact_type = $4)
		AND NOT `+dead+` ORDER BY m.digest LIMIT $5`, key, sum, behind, artifactType, n+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		var d v1.Descriptor
		var sum []byte
		var annotations string
		if err := rows.Scan(&sum, &d.MediaType, &d.ArtifactType, &d.Size, &annotations); err != nil {
			return nil, false, err
		}
		if size += len(annotations); len(list) > 0 && (len(list) == n || size > maxReferrers) {
			return list, true, nil
		}
		d.Digest = DigestOf(sum)
		if annotations != "" {
			if err := json.Unmarshal([]byte(annotations), &d.Annotations); err != nil {
				return nil, false, fmt.Errorf("annotations of %s: %w", d.Digest, err)
			}
		}
		list = append(list, d)
	}
	return list, false, rows.Err()
}

// A DeletedRepository can be restored until the undelete window ends.
type DeletedRepository struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Deleted time.Time `json:"deleted"`
}

// DeletedRepositories lists what was deleted since, newest first: of that
// name, or all when it is empty.
func (r Reader) DeletedRepositories(ctx context.Context, name string, since time.Time) ([]DeletedRepository, error) {
	rows, err := r.DB.QueryContext(ctx, `SELECT s.repo, n.name, s.deleted_time FROM repository_state s
		JOIN repositories n ON n.repo = s.repo WHERE s.deleted_time >= $1 AND s.deleted_time > 0
		AND ($2 = '' OR n.name = $2) ORDER BY s.deleted_time DESC, s.repo`, since.UnixMicro(), name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []DeletedRepository
	for rows.Next() {
		var id []byte
		var d DeletedRepository
		var at int64
		if err := rows.Scan(&id, &d.Name, &at); err != nil {
			return nil, err
		}
		d.ID, d.Deleted = IDOf(id), time.UnixMicro(at).UTC()
		list = append(list, d)
	}
	return list, rows.Err()
}

// rowKey is the key of what concerns one digest in one repository.
func rowKey(repo string, d digest.Digest) (id, sum []byte, err error) {
	if id, err = IDBytes(repo); err == nil {
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

// WasPushed says whether a manifest of that digest ever was in the repository,
// live or deleted.
func (r Reader) WasPushed(ctx context.Context, repo string, d digest.Digest) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM manifests WHERE repo = $1 AND digest = $2`, key, sum))
}

// LiveHolder is the full name of a repository in which a live manifest holds
// the blob. ErrNotFound.
func (r Reader) LiveHolder(ctx context.Context, d digest.Digest) (string, error) {
	sum, err := DigestBytes(d)
	if err != nil {
		return "", err
	}
	var name string
	err = r.DB.QueryRowContext(ctx, `SELECT n.name FROM holds h
		JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		JOIN repository_state s ON s.repo = h.repo AND s.deleted_time = 0
		JOIN repositories n ON n.repo = h.repo
		WHERE h.blob = $1 AND NOT `+dead+` LIMIT 1`, sum).Scan(&name)
	return name, notFound(err, "blob %s", d)
}

func exists(row *sql.Row) (bool, error) {
	var one int
	err := row.Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// NamespaceOf is the id of a repository's namespace, the repository live or deleted.
func (r Reader) NamespaceOf(ctx context.Context, repo string) (string, error) {
	key, err := IDBytes(repo)
	if err != nil {
		return "", err
	}
	var ns []byte
	err = r.DB.QueryRowContext(ctx, `SELECT namespace FROM repositories WHERE repo = $1`, key).Scan(&ns)
	return IDOf(ns), notFound(err, "repository %s", repo)
}

// DeletedTag is what a deleted tag named, and when it was deleted. ErrNotFound
// when its latest fact is not a deletion.
func (r Reader) DeletedTag(ctx context.Context, repo, tag string) (d digest.Digest, deleted time.Time, err error) {
	key, err := IDBytes(repo)
	if err != nil {
		return "", time.Time{}, err
	}
	var sum []byte
	var at int64
	err = r.DB.QueryRowContext(ctx, `SELECT digest, time FROM tags WHERE repo = $1 AND tag = $2 AND deleted = 1`, key, tag).Scan(&sum, &at)
	return DigestOf(sum), time.UnixMicro(at).UTC(), notFound(err, "deleted tag %s", tag)
}

// A Summary is a repository in numbers.
type Summary struct {
	ID, Name        string
	Tags, Manifests int // live ones
}

// Summaries lists live repositories behind last in byte order, at most n.
func (r Reader) Summaries(ctx context.Context, last string, n int) ([]Summary, error) {
	rows, err := r.DB.QueryContext(ctx, `SELECT n.repo, n.name,
		(SELECT COUNT(*) FROM tags t WHERE t.repo = n.repo AND t.deleted = 0 AND NOT `+gone+`),
		(SELECT COUNT(*) FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
			WHERE m.repo = n.repo AND NOT `+dead+`)
		FROM names n WHERE n.name > $1 AND n.deleted = 0 ORDER BY n.name LIMIT $2`, last, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Summary
	for rows.Next() {
		var s Summary
		var id []byte
		if err := rows.Scan(&id, &s.Name, &s.Tags, &s.Manifests); err != nil {
			return nil, err
		}
		s.ID = IDOf(id)
		list = append(list, s)
	}
	return list, rows.Err()
}
