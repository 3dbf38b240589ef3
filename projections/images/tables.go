// Package images is the read model of images:
// repositories, manifests with their bytes, tags and their history, referrers
// and the holds of manifests on blobs.
//
// Whether something is there is a question of sequences, decided when it is
// read: a repository by its latest fact, a tag by its latest fact unless its
// manifest was deleted later, a manifest by its latest push unless it was
// deleted later, where a deletion that was undone does not count.
package images

import "hubledger/projections"

func i(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Int} }
func b(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}
func t(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Text} }

var (
	namespaces = &projections.Table{
		Name: "namespaces", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{t("name"), b("namespace"), i("time")},
	}

	// names says which repository a full name stands for; a name whose
	// repository was deleted and created again stands for the newer one.
	names = &projections.Table{
		Name: "names", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{t("name"), b("repo"), b("namespace"), i("deleted"), i("seq")},
		Indexes: [][]string{{"namespace", "name"}},
	}

	// visibility is kept apart from the names, whose latest fact does not say it.
	visibility = &projections.Table{
		Name: "visibility", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("name"), i("public"), i("seq")},
		Indexes: [][]string{{"public", "name"}},
	}

	repositories = &projections.Table{
		Name: "repositories", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), b("namespace"), t("name"), i("time")},
		Indexes: [][]string{{"name"}},
	}

	// repository_state holds when a repository was deleted, 0 while it lives.
	repositoryState = &projections.Table{
		Name: "repository_state", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), i("deleted_time"), i("seq")},
	}

	// policies are JSON, as their event has them.
	policies = &projections.Table{
		Name: "policies", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("policy"), i("seq")},
	}

	// manifests: seq is that of the latest push; it stands before the bytes,
	// since what is wanted of most rows is whether they live, and how large they
	// are. subject is empty when the manifest has none; platform is JSON or
	// empty; created is 0 when unknown.
	manifests = &projections.Table{
		Name: "manifests", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), b("digest"), t("media_type"), b("subject"),
			t("platform"), i("created"), i("time"), t("actor"), i("seq"), i("size"), b("bytes")},
	}

	// revivals: a push of an index, or the return of a tag, brings back what it names.
	revivals = &projections.Table{
		Name: "revivals", Key: 2, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), b("digest"), i("seq")},
	}

	// deletions of manifests, by the sequence of the deletion; undone is the
	// sequence of the event that undid it, or 0.
	deletions = &projections.Table{
		Name: "deletions", Key: 3, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), b("digest"), i("deletion"), i("time"), i("undone")},
	}

	tags = &projections.Table{
		Name: "tags", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("tag"), b("digest"), i("deleted"), i("time"), t("actor"), i("seq")},
	}

	tagHistory = &projections.Table{
		Name: "tag_history", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), t("tag"), i("seq"), b("digest"), i("deleted"), i("time"), t("actor")},
	}

	referrers = &projections.Table{
		Name: "referrers", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), b("subject"), b("digest"), t("media_type"),
			t("artifact_type"), i("size"), i("seq"), t("annotations")},
	}

	// holds: which blobs a manifest needs, and how large they are in bytes. Blob
	// first, so that two questions are one range: who holds this blob, and does
	// this repository. The index answers what a repository holds by itself.
	holds = &projections.Table{
		Name: "holds", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("blob"), b("repo"), b("manifest"), i("size")},
		Indexes: [][]string{{"repo", "blob", "manifest", "size"}},
	}

	swept = &projections.Table{
		Name: "swept", Key: 1, Merge: projections.Max,
		Columns: []projections.Column{b("blob"), i("seq")},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "images",
	Version: 1,
	Tables: []*projections.Table{namespaces, names, repositories, repositoryState, visibility, policies, manifests,
		revivals, deletions, tags, tagHistory, referrers, holds, swept},
	Types: []string{
		"namespace.created.v1",
		"repository.created.v1", "repository.deleted.v1", "repository.restored.v1", "repository.policy_changed.v1",
		"repository.visibility_changed.v1",
		"image.pushed.v1", "tag.deleted.v1", "tag.restored.v1", "manifest.deleted.v1", "manifest.restored.v1",
		"blobs.swept.v1",
	},
	Apply:   apply,
	Queries: queries,
}
