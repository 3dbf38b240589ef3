package images

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A TagDetail is a live tag with what a list of tags shows of its image.
type TagDetail struct {
	Name      string
	Digest    digest.Digest
	MediaType string
	Artifact  string          // see Manifest.Artifact; "" when not known
	Created   time.Time       // as an image, or the first one of an index, says; zero when not known
	Seq       uint64          // of the event by which it names the manifest
	Size      int64           // in bytes, of the blobs of an image, or of an index's largest image; 0 when not known
	Pushed    time.Time       // also that of a restored tag
	By        string          // who pushed or restored it: the event's actor
	Images    []PlatformImage // one, or those that an index names and the repository has

	platform string
	bytes    []byte
}

// selectTags selects live tags, restricted and ordered by rest, and joins their
// manifests only afterwards, so that no manifest's bytes are sorted. Bytes of
// more than maxParsed are left out.
func selectTags(rest, order string) string {
	return `SELECT t.tag, t.digest, t.time, t.actor, t.seq, m.media_type, m.platform, m.created, CASE WHEN m.size <= $2 THEN m.bytes ELSE $3 END
		FROM (SELECT t.repo, t.tag, t.digest, t.time, t.actor, t.seq FROM tags t WHERE t.repo = $1 AND t.deleted = 0 AND NOT ` + gone + ` ` + rest + `) t
		JOIN manifests m ON m.repo = t.repo AND m.digest = t.digest ORDER BY ` + order
}

// TagDetails lists live tags after last in byte order, at most n.
func (r Reader) TagDetails(ctx context.Context, repo, last string, n int) ([]TagDetail, error) {
	return r.tagDetails(ctx, repo, selectTags(`AND t.tag > $4 ORDER BY t.tag LIMIT $5`, `t.tag`), last, n)
}

// TagDetail finds one live tag; ErrNotFound if there is none.
func (r Reader) TagDetail(ctx context.Context, repo, tag string) (*TagDetail, error) {
	list, err := r.tagDetails(ctx, repo, selectTags(`AND t.tag = $4`, `t.tag`), tag)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("tag %s: %w", tag, ErrNotFound)
	}
	return &list[0], nil
}

// ArtifactOf is the artifact type of what a live tag names, as that of a TagDetail; "" for none.
func (r Reader) ArtifactOf(ctx context.Context, repo, tag string) (string, error) {
	list, err := r.tagRows(ctx, repo, selectTags(`AND t.tag = $4`, `t.tag`), tag)
	if err != nil || len(list) == 0 || len(list[0].bytes) == 0 {
		return "", err
	}
	m, err := ParseManifest(list[0].bytes)
	if err != nil {
		return "", fmt.Errorf("manifest %s: %w", list[0].Digest, err)
	}
	return m.Artifact(), nil
}

// TagOrder is the order of a list of tags by FindTags.
type TagOrder string

const (
	NewestFirst TagOrder = "t.time DESC, t.tag" // by the time of the last push
	ByName      TagOrder = "t.tag"              // in byte order
	ByNameBack  TagOrder = "t.tag DESC"
)

// containing is true of tags with a text in their name, whatever its case.
const containing = ` AND LOWER(t.tag) LIKE `

// FindTags lists live tags whose names contain a text, "" for all: at most n,
// without the first offset ones. It reads all tags of the repository.
func (r Reader) FindTags(ctx context.Context, repo, text string, order TagOrder, offset, n int) ([]TagDetail, error) {
	by := string(order)
	return r.tagDetails(ctx, repo, selectTags(containing+`$4 ESCAPE '!' ORDER BY `+by+` LIMIT $5 OFFSET $6`, by), pattern(text), n, offset)
}

// CountTags says how many live tags there are whose names contain a text, "" for all.
func (r Reader) CountTags(ctx context.Context, repo, text string) (n int, err error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return 0, err
	}
	query, args := `SELECT COUNT(*) FROM tags t WHERE t.repo = $1 AND t.deleted = 0 AND NOT `+gone, []any{key}
	if text != "" {
		query, args = query+containing+`$2 ESCAPE '!'`, append(args, pattern(text))
	}
	err = r.DB.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "\x00", "")

// pattern is what LIKE takes for texts that contain this one.
func pattern(text string) string {
	return "%" + likeEscape.Replace(strings.ToLower(strings.ToValidUTF8(text, " "))) + "%"
}

func (r Reader) tagDetails(ctx context.Context, repo, query string, args ...any) ([]TagDetail, error) {
	list, err := r.tagRows(ctx, repo, query, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := r.addImages(ctx, repo, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r Reader) tagRows(ctx context.Context, repo, query string, args ...any) ([]TagDetail, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, query, append([]any{key, maxParsed, []byte{}}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []TagDetail
	for rows.Next() {
		var t TagDetail
		var sum []byte
		var at, created int64
		if err := rows.Scan(&t.Name, &sum, &at, &t.By, &t.Seq, &t.MediaType, &t.platform, &created, &t.bytes); err != nil {
			return nil, err
		}
		t.Digest, t.Pushed, t.Created = DigestOf(sum), time.UnixMicro(at).UTC(), known(created)
		list = append(list, t)
	}
	return list, rows.Err()
}

// known is a time of a table in which 0 means that there is none.
func known(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
