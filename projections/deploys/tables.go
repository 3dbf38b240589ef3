// Package deploys is the read model of applications: what they are made of, their
// environments with the versions of their configuration, their releases, and what was
// deployed where.
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

	// placements and policies are JSON.
	placements = &projections.Table{
		Name: "placements", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), t("placement"), i("time"), t("actor"), i("seq")},
	}
	policies = &projections.Table{
		Name: "policies", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), t("policy"), i("time"), t("actor"), i("seq")},
	}

	// hooks are the URLs of gates, by the hash of the secret in them.
	hooks = &projections.Table{
		Name: "hooks", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), t("gate"), b("hash"), t("record"), i("live"), i("time"), t("actor"), i("seq")},
		Indexes: [][]string{{"hash"}},
	}

	// history has the events of the subjects of environments: from a request on they say where
	// an environment is. data is JSON; deployment is empty for what is of none.
	history = &projections.Table{
		Name: "history", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("environment"), i("seq"), b("deployment"), t("type"), t("data"), i("time"), t("actor"), t("event"), t("correlation")},
		Indexes: [][]string{{"deployment", "seq"}, {"environment", "time"}},
	}

	// latest is the latest event of each environment.
	latest = &projections.Table{
		Name: "latest", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("environment"), i("seq")},
	}

	// deployments that were asked for.
	deployments = &projections.Table{
		Name: "deployments", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("deployment"), b("environment"), b("application"), i("number"), i("seq")},
		Indexes: [][]string{{"environment", "seq"}, {"application", "seq"}},
	}

	// uses are the applications that ever had a release with an image of a repository of this hub.
	uses = &projections.Table{
		Name: "uses", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("repository"), b("application")},
	}

	// placed are the environments that a host ever had something of.
	placed = &projections.Table{
		Name: "placed", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("host"), b("environment"), t("name")},
		Indexes: [][]string{{"environment", "host"}},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "deploys",
	Version: 4,
	Tables:  []*projections.Table{applications, composes, environments, configurations, releases, placements, policies, hooks, history, latest, deployments, placed, uses},
	Types: []string{"application.created.v1", "application.changed.v1", "application.deleted.v1", "environment.created.v1", "environment.deleted.v1",
		"configuration.set.v1", "release.made.v1", "placement.set.v1", "deploy_policy.set.v1", "gate_hook.set.v1", "gate_hook.removed.v1",
		"deployment.requested.v1", "deployment.admitted.v1", "deployment.refused.v1", "deployment.pulled.v1", "deployment.healthy.v1", "deployment.shifted.v1",
		"deployment.gate_changed.v1", "deployment.promoted.v1", "deployment.rolled_back.v1", "deployment.cancelled.v1", "deployment.failed.v1",
		"deployment.host_excluded.v1", "deployment.overdue.v1", "deployment.finished.v1", "deployment.torn_down.v1"},
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
	projections.SQLQuery("hooks", `SELECT h.environment, h.gate, h.hash, h.record, h.live FROM hooks h`, 2),
	projections.SQLQuery("placements", `SELECT p.environment, p.placement FROM placements p`, 1),
	projections.SQLQuery("policies", `SELECT p.environment, p.policy FROM policies p`, 1),
	projections.SQLQuery("history", `SELECT h.environment, h.seq, h.deployment, h.type, h.data, h.time, h.actor, h.event FROM history h`, 2),
	projections.SQLQuery("deployments", `SELECT d.deployment, d.environment, d.application, d.number, d.seq FROM deployments d`, 1),
	projections.SQLQuery("uses", `SELECT u.repository, u.application FROM uses u`, 2),
	projections.SQLQuery("placed", `SELECT p.host, p.environment FROM placed p`, 2),
}
