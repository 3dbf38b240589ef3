// Package catalog is the read model that people browse and search:
// repositories with their descriptions, topics, stars and pulls, and what
// happened to them.
//
// The tables that Apply writes have the id of the repository as their key, and
// keep also deleted repositories. Searches read the tables of entries, which the
// store derives from these and which hold only live repositories.
package catalog

import "hubledger/projections"

func i(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Int} }
func b(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}
func t(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Text} }

var (
	namespaces = &projections.Table{
		Name: "namespaces", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("namespace"), t("name")},
	}

	// repositories: words are those of the name, as in entries; seq is that of
	// the creation, and the key of the entry.
	repositories = &projections.Table{
		Name: "repositories", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), b("namespace"), t("name"), t("words"), i("time"), i("seq")},
	}

	states = &projections.Table{
		Name: "states", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), i("deleted"), i("seq")},
	}

	visibilities = &projections.Table{
		Name: "visibilities", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), i("public"), i("seq")},
	}

	// descriptions: topics are separated by spaces; words are those of the
	// description and the topics, as in entries.
	descriptions = &projections.Table{
		Name: "descriptions", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("description"), t("topics"), t("words"), i("seq")},
	}

	// readmes have a table of their own: they are large, and read one at a time.
	readmes = &projections.Table{
		Name: "readmes", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), i("seq"), t("readme")},
	}

	stars = &projections.Table{
		Name: "stars", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), b("user_id"), i("given"), i("seq")},
		Indexes: [][]string{{"user_id", "given", "seq"}},
	}

	pulls = &projections.Table{
		Name: "pulls", Key: 1, Merge: projections.Add,
		Columns: []projections.Column{b("repo"), i("pulls")},
	}

	pulled = &projections.Table{
		Name: "pulled", Key: 1, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), i("time")},
	}

	tagPulls = &projections.Table{
		Name: "tag_pulls", Key: 2, Merge: projections.Add,
		Columns: []projections.Column{b("repo"), t("tag"), i("pulls")},
	}

	tagPulled = &projections.Table{
		Name: "tag_pulled", Key: 2, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), t("tag"), i("time")},
	}

	// manifest_pulled is when each manifest was used last; the digest is text, as
	// in the event.
	manifestPulled = &projections.Table{
		Name: "manifest_pulled", Key: 2, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), t("digest"), i("time")},
	}

	// pushes: updated is the time of the last push or, before any push, of the
	// creation; pushed is 0 before any push.
	pushes = &projections.Table{
		Name: "pushes", Key: 1, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), i("updated"), i("pushed")},
		Indexes: [][]string{{"updated"}},
	}

	activity = &projections.Table{
		Name: "activity", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), i("seq"), i("time"), t("actor"), i("kind"), t("what")},
	}

	// grams is the dictionary for misspelt names: the trigrams of every part of
	// every name that a repository ever had, with the length of the part.
	grams = &projections.Table{
		Name: "grams", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{t("gram"), i("size"), t("part")},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "catalog",
	Version: 3,
	Tables: []*projections.Table{namespaces, repositories, states, visibilities, descriptions, readmes, stars,
		pulls, pulled, tagPulls, tagPulled, manifestPulled, pushes, activity, grams},
	Searches: []*projections.Search{entries(publicEntries, 1), entries(privateEntries, 0)},
	Types: []string{
		"namespace.created.v1", "namespace.adopted.v1",
		"repository.created.v1", "repository.deleted.v1", "repository.restored.v1",
		"repository.visibility_changed.v1", "repository.described.v1", "repository.summary_changed.v1",
		"star.given.v1", "star.withdrawn.v1", "pulls.counted.v1",
		"image.pushed.v1", "image.tagged.v1", "tag.deleted.v1", "tag.restored.v1", "manifest.deleted.v1", "manifest.restored.v1",
	},
	Apply:   apply,
	Queries: queries,
}
