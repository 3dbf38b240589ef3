package catalog

import (
	"fmt"

	"hubledger/projections"
)

// Public and private repositories have tables of their own, so that a search
// does not spend time on repositories that its user may not see.
const (
	publicEntries  = "public_entries"
	privateEntries = "private_entries"
)

// A rank is a repository's stars and pulls in one number, negative so that the
// ascending order of an index has the best first. One star weighs more than any
// number of pulls, and more than 2^40 pulls count as 2^40.
const rankPulls = 1 << 40

// starsPulls are the stars and pulls of which a rank is made.
func starsPulls(rank int64) (stars, pulls int64) { return -rank / rankPulls, -rank % rankPulls }

// entries is the table of live repositories of one visibility. words are those
// of the name, the description and the topics, between single spaces. Also among
// them are each topic as a whole, with a colon before it, and the first letter of
// each component of the name but the first, with its slash before it.
func entries(name string, public int) *projections.Search {
	return &projections.Search{
		Table: &projections.Table{
			Name: name, Key: 1,
			Columns: []projections.Column{i("id"), b("repo"), b("namespace"), t("name"), i("rank"), t("words")},
			Indexes: [][]string{{"rank", "name", "id"}, {"name", "rank", "id"}, {"namespace", "name", "rank", "id"}, {"repo"}},
		},
		Select: fmt.Sprintf(`SELECT r.seq, r.repo, r.namespace, r.name,
			-((SELECT count(*) FROM stars WHERE stars.repo = r.repo AND stars.given = 1) * %[1]d
				+ CASE WHEN COALESCE(p.pulls, 0) < %[1]d THEN COALESCE(p.pulls, 0) ELSE %[1]d - 1 END),
			r.words || COALESCE(d.words, '')
			FROM repositories r JOIN states s ON s.repo = r.repo JOIN visibilities v ON v.repo = r.repo
			LEFT JOIN descriptions d ON d.repo = r.repo LEFT JOIN pulls p ON p.repo = r.repo
			WHERE s.deleted = 0 AND v.public = %[2]d`, int64(rankPulls), public),
		Sources: []*projections.Table{repositories, states, visibilities, descriptions, stars, pulls},
		By:      "repo", ByIn: "r.repo",
		Trigrams: "name", Words: "words",
	}
}
