// Package deploys is the read model of applications: what they are made of, their
// environments with the versions of their configuration, and their releases.
package deploys

import "hubledger/projections"

func i(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Int} }
func b(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}
func t(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Text} }

var (
	// applications: the row of a deleted one stays. time and actor are those of the latest
	// change, seq its sequence.
	applications = &projections.Table{
		Name: "applications", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("application"), b("namespace"), t("name"), i("live"), t("digest"), i("keep"), i("time"), t("actor"), i("seq")},
		Indexes: [][]string{{"name", "live"}, {"namespace", "live", "name"}},
	}

	// composes are the texts of the Compose files that an application ever had.
	composes = &projections.Table{
		Name: "composes", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("application"), t("digest"), t("content")},
	}

	environments = &projections.Table{
		Name: "environments", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), b("application"), t("name"), i("live"), i("time"), t("actor"), i("seq")},
		Indexes: [][]string{{"application", "live", "name"}},
	}

	// configurations: changed, settings and secrets are JSON.
	configurations = &projections.Table{
		Name: "configurations", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("environment"), i("version"), t("changed"), t("settings"), t("secrets"), i("time"), t("actor"), i("seq")},
	}

	// releases: images and configurations are JSON.
	releases = &projections.Table{
		Name: "releases", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("application"), i("number"), t("digest"), t("images"), t("configurations"), t("note"), i("time"), t("actor"), i("seq")},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "deploys",
	Version: 1,
	Tables:  []*projections.Table{applications, composes, environments, configurations, releases},
	Types: []string{"application.created.v1", "application.changed.v1", "application.deleted.v1", "environment.created.v1", "environment.deleted.v1",
		"configuration.set.v1", "release.made.v1"},
	Apply:   apply,
	Queries: queries,
}

// queries are those whose results a new build of the read model must share
// with the build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("applications", `SELECT a.application, a.namespace, a.name, a.live, a.digest, a.keep FROM applications a`, 1),
	projections.SQLQuery("composes", `SELECT c.application, c.digest, c.content FROM composes c`, 2),
	projections.SQLQuery("environments", `SELECT e.environment, e.application, e.name, e.live FROM environments e`, 1),
	projections.SQLQuery("configurations", `SELECT c.environment, c.version, c.settings, c.secrets FROM configurations c`, 2),
	projections.SQLQuery("releases", `SELECT r.application, r.number, r.digest, r.images, r.configurations, r.note FROM releases r`, 2),
}
