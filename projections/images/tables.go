// Package images is the read model from which images are pulled: repositories,
// manifests with their bytes, tags and their history, referrers, and the blobs
// that each manifest needs (its holds).
//
// No row says whether something is live. That is decided when it is read, by
// the sequences of events: a repository is live unless its latest event deleted
// it, a manifest unless it was deleted after its latest push, and a tag unless
// it, or later its manifest, was deleted. Deletions that were undone do not count.
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

	// visibility has a table of its own, because the event that decides a row of
	// names does not say it.
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

	// policies are JSON, as in their event.
	policies = &projections.Table{
		Name: "policies", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("policy"), i("seq")},
	}

	// manifests: seq is that of the latest push; it and the size stand before
	// the bytes, because most queries read no more of a row. subject is empty when
	// the manifest has none; platform is JSON or empty; created is 0 when unknown.
	manifests = &projections.Table{
		Name: "manifests", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), b("digest"), t("media_type"), b("subject"),
			t("platform"), i("created"), i("time"), t("actor"), i("seq"), i("size"), b("bytes")},
	}

	// revivals: a push that does not have the manifest's bytes, the push of an
	// index and the restoring of a tag bring back the manifests that they name. seq
	// is that of the latest such event; pushed is the time of the latest push, 0
	// when none of them was one.
	revivals = &projections.Table{
		Name: "revivals", Key: 2, Merge: projections.Max,
		Columns: []projections.Column{b("repo"), b("digest"), i("seq"), i("pushed")},
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

	// tag_history: time is that of the event; pushed that of the push by which the
	// tag came to name the digest, 0 for a deletion.
	tagHistory = &projections.Table{
		Name: "tag_history", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), t("tag"), i("seq"), b("digest"), i("deleted"), i("time"), i("pushed"), t("actor")},
	}

	referrers = &projections.Table{
		Name: "referrers", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), b("subject"), b("digest"), t("media_type"),
			t("artifact_type"), i("size"), i("seq"), t("annotations")},
	}

	// children: what an index names, with the index, whether it is there or not.
	children = &projections.Table{
		Name: "children", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), b("child"), b("digest")},
	}

	// holds: which blobs a manifest needs, and how large they are in bytes. The
	// blob comes first in the key, so that one range of it answers both who holds
	// a blob and whether a repository does. The index alone answers what a
	// repository holds.
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

// What releases of applications hold: images stay while a release has pinned them that is one
// of the latest so many of an application that lives, is on the hosts of one of its
// environments, or is one of the latest so many that were promoted there.
var (
	applications = &projections.Table{
		Name: "applications", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("application"), t("name"), i("live"), i("keep"), i("seq")},
	}

	latestReleases = &projections.Table{
		Name: "latest_releases", Key: 1, Merge: projections.Max,
		Columns: []projections.Column{b("application"), i("number")},
	}

	pins = &projections.Table{
		Name: "pins", Key: 4, Merge: projections.Insert,
		Columns: []projections.Column{b("repo"), b("digest"), b("application"), i("number")},
	}

	environments = &projections.Table{
		Name: "environments", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), b("application"), i("live"), i("seq")},
		Indexes: [][]string{{"application", "live", "environment"}},
	}

	// on_hosts: what each colour of an environment may have, or, without a colour, its stateful
	// services: the release that the latest deployment brings or leaves there, and the one that was
	// there before, which stays until a colour's deployment is admitted. 0 is none.
	onHosts = &projections.Table{
		Name: "on_hosts", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), t("colour"), i("number"), i("before"), b("deployment"), i("seq")},
	}
	admitted = &projections.Table{
		Name: "admitted", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("deployment")},
	}

	// deployed are deployments; promotions are those of them that were promoted, with the sequence
	// of the latest promotion.
	deployed = &projections.Table{
		Name: "deployed", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("deployment"), b("environment"), i("number")},
		Indexes: [][]string{{"environment", "deployment", "number"}},
	}
	promotions = &projections.Table{
		Name: "promotions", Key: 1, Merge: projections.Max,
		Columns: []projections.Column{b("deployment"), i("seq")},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "images",
	Version: 5,
	Tables: []*projections.Table{namespaces, names, repositories, repositoryState, visibility, policies, manifests,
		revivals, deletions, tags, tagHistory, referrers, children, holds, swept, applications, latestReleases, pins,
		environments, onHosts, admitted, deployed, promotions},
	Types: []string{
		"namespace.created.v1",
		"repository.created.v1", "repository.deleted.v1", "repository.restored.v1", "repository.policy_changed.v1",
		"repository.visibility_changed.v1",
		"image.pushed.v1", "image.tagged.v1", "tag.deleted.v1", "tag.restored.v1", "manifest.deleted.v1", "manifest.restored.v1",
		"blobs.swept.v1",
		"application.created.v1", "application.changed.v1", "application.deleted.v1", "release.made.v1",
		"environment.created.v1", "environment.deleted.v1", "deployment.requested.v1", "deployment.admitted.v1", "deployment.promoted.v1", "deployment.torn_down.v1",
	},
	Apply:   apply,
	Queries: queries,
}
