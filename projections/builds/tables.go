// Package builds is the read model of git sources and build rules: what is watched,
// where its branches and tags point to, which webhooks came, and what the rules of
// repositories make of the refs.
package builds

import "hubledger/projections"

func i(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Int} }
func b(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}
func t(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Text} }

var (
	// sources: the row of an unlinked source stays, with its last settings. time and
	// actor are those of the latest change, seq its sequence.
	sources = &projections.Table{
		Name: "sources", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("source"), b("namespace"), t("name"), i("live"), t("url"), t("host"), t("credentials"), t("secret"), t("username"),
			t("deploy_key"), t("host_key"), t("hook_secret"), i("build_existing"), i("status"), t("status_secret"), i("time"), t("actor"), i("seq")},
		Indexes: [][]string{{"name", "live"}, {"namespace", "live", "name"}},
	}

	// recorded has the sources whose first sweep is complete.
	recorded = &projections.Table{
		Name: "recorded", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("source"), i("refs"), i("time")},
	}

	// refs: commit_id is empty when the ref was deleted. A pull request is a ref with
	// pull, in JSON; that of branches and tags is empty.
	refs = &projections.Table{
		Name: "refs", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("source"), t("ref"), t("kind"), t("commit_id"), t("previous"), t("annotated"), i("initial"), t("pull"), i("time"), t("event"), t("correlation"), i("seq")},
		Indexes: [][]string{{"source", "seq"}, {"event"}},
	}

	// watched has the sources whose pull requests are looked at, or were once.
	watched = &projections.Table{
		Name: "watched", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("source"), i("live"), i("seq")},
	}

	// told is what the latest webhook about a pull request says, in JSON.
	told = &projections.Table{
		Name: "told", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("source"), i("number"), t("pull"), i("seq")},
	}

	// deliveries: refs, headers and pull are JSON, pull is empty for none.
	deliveries = &projections.Table{
		Name: "deliveries", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("source"), t("delivery"), t("event"), t("kind"), i("ping"), t("refs"), i("more"), t("repository"), t("pull"), t("headers"),
			t("digest"), i("size"), i("time"), i("seq")},
		Indexes: [][]string{{"source", "seq"}, {"source", "ping", "seq"}},
	}

	// moves are what sweeps found after an event, such as a webhook: cause is its id.
	moves = &projections.Table{
		Name: "moves", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("source"), t("cause"), t("ref"), t("previous"), t("commit_id"), i("seq")},
	}

	// redeliveries counts how often a delivery came again.
	redeliveries = &projections.Table{
		Name: "redeliveries", Key: 2, Merge: projections.Add,
		Columns: []projections.Column{b("source"), t("delivery"), i("times")},
	}

	// rules are the latest build rules of each repository, as JSON; source is empty
	// where there are no automated builds. looks says that what they make of a ref may
	// depend on the files of its commit, tests that they may test pull requests.
	rules = &projections.Table{
		Name: "rules", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("namespace"), t("name"), b("source"), t("rules"), i("from_file"), i("looks"), i("tests"), i("time"), t("actor"), t("event"), i("seq")},
		Indexes: [][]string{{"source"}},
	}

	// rulesets are all rules that ever were set, as JSON: builds are by those that were
	// evaluated.
	rulesets = &projections.Table{
		Name: "rulesets", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{t("event"), t("rules")},
	}

	// feeds says since which event the rules of a repository are for their source: refs
	// that moved before are not theirs.
	feeds = &projections.Table{
		Name: "feeds", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("source"), i("seq")},
	}

	// testing says since which event the rules of a repository test pull requests of
	// their source: those that changed before are not theirs.
	testing = &projections.Table{
		Name: "testing", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("source"), i("seq")},
	}

	// pushes are the latest evaluations of each ref by the rules of each repository; move
	// is the id of the event that moved the ref, rules that of the one that set the
	// rules; file, verdicts and pull are JSON, file is empty when it did not count, and
	// pull for branches and tags.
	pushes = &projections.Table{
		Name: "pushes", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("source"), t("ref"), t("commit_id"), t("move"), t("rules"), t("verdicts"), t("file"), t("pull"), b("namespace"), i("time"), t("event"),
			t("correlation"), i("seq")},
		Indexes: [][]string{{"repository", "seq"}, {"event"}},
	}

	// requests are the latest ones to evaluate the rules of a repository again for a ref.
	requests = &projections.Table{
		Name: "requests", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("source"), t("ref"), t("event"), t("correlation"), i("seq")},
		Indexes: [][]string{{"repository", "seq"}},
	}

	// triggers: the row of a deleted one stays. hash is that of its secret.
	triggers = &projections.Table{
		Name: "triggers", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("trigger"), b("namespace"), b("repository"), t("name"), b("hash"), i("live"), i("time"), t("actor"), i("seq")},
		Indexes: [][]string{{"hash"}, {"repository", "seq"}},
	}

	// asked counts the builds that an evaluation asks for and that are not queued. It is
	// below 0 when another evaluation of the same ref has followed.
	asked = &projections.Table{
		Name: "asked", Key: 1, Merge: projections.Add,
		Columns: []projections.Column{t("push"), i("pending")},
		Indexes: [][]string{{"pending"}},
	}

	// secrets are those that builds of a repository may read; record names the one that
	// has the value, and is empty when the secret was removed.
	secrets = &projections.Table{
		Name: "secrets", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), t("name"), t("record"), i("for_file"), i("time"), t("actor"), i("seq")},
	}

	// repositories are those that were deleted once, and whether they live again; time is
	// that of the change.
	repositories = &projections.Table{
		Name: "repositories", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), i("live"), i("time"), i("seq")},
	}

	// refusals are webhooks whose signature was wrong, by period and node.
	refusals = &projections.Table{
		Name: "refusals", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("source"), i("until"), t("node"), i("requests"), i("addresses")},
	}

	// queued are builds as they were queued: settings is the rule, in JSON, and cause
	// the id of the event that led to it. Of a pull request pull is that, in JSON. Of those that
	// the hub itself makes again, rebuild says why, in JSON, and again is the build that had the older image. Of those of
	// an uploaded directory, upload is that, in JSON, and source is empty.
	queued = &projections.Table{
		Name: "queued", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), b("namespace"), b("repository"), b("source"), t("ref"), t("kind"), t("commit_id"), t("rule"), t("settings"), t("tags"),
			i("test"), i("untrusted"), i("from_file"), t("pull"), t("retry_of"), b("again"), t("rebuild"), t("upload"), i("hooks"), t("cause"), t("correlation"), t("event"), t("actor"), i("time"), i("seq")},
		Indexes: [][]string{{"repository", "seq"}, {"repository", "source", "ref", "commit_id"}, {"cause", "rule"}, {"event"}, {"seq"}, {"source", "commit_id"}},
	}

	// lines has the latest build of each ref by each rule that pushes its image; rebuild
	// says that the rule wants it made again when an image that it was made from changes.
	lines = &projections.Table{
		Name: "lines", Key: 4, Merge: projections.Put,
		Columns: []projections.Column{b("repository"), b("source"), t("ref"), t("rule"), b("build"), i("rebuild"), i("seq")},
		Indexes: [][]string{{"rebuild", "seq"}},
	}

	// states: what the latest event of a build says. In the state "ended" outcome says
	// how; epoch is that of the latest claim.
	states = &projections.Table{
		Name: "states", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("build"), t("state"), i("epoch"), t("digest"), t("outcome"), t("reason"), t("detail"), t("tags"), t("refused"), t("provenance"), i("time"), i("seq")},
		Indexes: [][]string{{"state", "seq"}, {"digest"}},
	}

	// bases are the images that the pushed image of a build was made from: repository is
	// the full name of one of this hub, and empty when it is from elsewhere.
	bases = &projections.Table{
		Name: "bases", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), i("number"), t("name"), t("digest"), t("platform"), t("repository"), t("tag")},
	}

	claims = &projections.Table{
		Name: "claims", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), i("epoch"), t("builder"), t("scanner"), i("time")},
	}

	// hooked are the builds of which a builder has said that they have hooks or autotests.
	hooked = &projections.Table{
		Name: "hooked", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("build"), i("seq")},
	}

	// losses counts how often a build was lost with its builder.
	losses = &projections.Table{
		Name: "losses", Key: 1, Merge: projections.Add,
		Columns: []projections.Column{b("build"), i("times")},
	}

	// steps: took is in milliseconds, began by the builder's clock.
	steps = &projections.Table{
		Name: "steps", Key: 3, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), i("epoch"), i("step"), t("kind"), t("name"), i("began"), i("took"), i("cached"), i("failed"), i("seq")},
	}

	// logs are the files in which the logs of builds are; digest is empty when nothing
	// was kept.
	logs = &projections.Table{
		Name: "logs", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), t("digest"), i("size"), i("written"), i("time")},
	}

	// unsealed are the builds that have ended and whose logs are not sealed.
	unsealed = &projections.Table{
		Name: "unsealed", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("build"), i("time")},
		Indexes: [][]string{{"time"}},
	}

	// reports says since which event the git host of a source is told of builds, and
	// whether it still is.
	reports = &projections.Table{
		Name: "reports", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("source"), i("wanted"), i("seq")},
	}

	// unreported counts for each build, by the sequence of the event that queued it,
	// whether its git host may have to be told of its end: 1 until that is settled.
	unreported = &projections.Table{
		Name: "unreported", Key: 2, Merge: projections.Add,
		Columns: []projections.Column{b("source"), i("seq"), i("pending")},
		Indexes: [][]string{{"source", "pending", "seq"}},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "builds",
	Version: 17,
	Tables: []*projections.Table{sources, recorded, refs, watched, told, moves, deliveries, redeliveries, refusals, rules, rulesets, feeds, testing, pushes, asked, secrets, repositories, queued, lines, states, bases,
		claims, hooked, losses, steps, logs, unsealed, requests, triggers, reports, unreported},
	Types: []string{"source.linked.v1", "source.changed.v1", "source.unlinked.v1", "ref.moved.v1", "refs.recorded.v1", "rules.set.v1",
		"pull_request.changed.v1", "pull_requests.watched.v1",
		"hook.received.v1", "hook.redelivered.v1", "hook.refused.v1", "push.evaluated.v1", "repository.deleted.v1", "repository.restored.v1",
		"build.queued.v1", "build.claimed.v1", "build.step_ended.v1", "build.pushed.v1", "build.lost.v1", "build.finished.v1",
		"build.log_sealed.v1", "build_secret.set.v1", "build_secret.removed.v1",
		"push.requested.v1", "trigger.created.v1", "trigger.deleted.v1", "status.sent.v1", "status.given_up.v1"},
	Apply:   apply,
	Queries: queries,
}

// queries are those whose results a new build of the read model must share
// with the build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("sources", `SELECT s.source, s.namespace, s.name, s.live, s.url, s.host, s.credentials, s.secret, s.username, s.deploy_key, s.host_key, s.hook_secret, s.build_existing, s.status, s.status_secret FROM sources s`, 1),
	projections.SQLQuery("refs", `SELECT r.source, r.ref, r.commit_id, r.annotated, r.initial, r.pull FROM refs r`, 2),
	projections.SQLQuery("watched", `SELECT w.source, w.live FROM watched w`, 1),
	projections.SQLQuery("told", `SELECT k.source, k.number, k.pull FROM told k`, 2),
	projections.SQLQuery("moves", `SELECT m.source, m.cause, m.ref, m.previous, m.commit_id FROM moves m`, 3),
	projections.SQLQuery("deliveries", `SELECT d.source, d.delivery, d.event, d.kind, d.ping, d.refs, d.pull, d.digest, COALESCE(n.times, 0) FROM deliveries d
		LEFT JOIN redeliveries n ON n.source = d.source AND n.delivery = d.delivery`, 2),
	projections.SQLQuery("rules", `SELECT b.repository, b.namespace, b.name, b.source, b.rules, b.from_file, b.looks, b.tests FROM rules b`, 1),
	projections.SQLQuery("rulesets", `SELECT b.event, b.rules FROM rulesets b`, 1),
	projections.SQLQuery("feeds", `SELECT f.repository, f.source, f.seq FROM feeds f`, 1),
	projections.SQLQuery("testing", `SELECT y.repository, y.source, y.seq FROM testing y`, 1),
	projections.SQLQuery("pushes", `SELECT p.repository, p.source, p.ref, p.commit_id, p.move, p.rules, p.verdicts, p.file, p.pull FROM pushes p`, 3),
	projections.SQLQuery("asked", `SELECT a.push, a.pending FROM asked a`, 1),
	projections.SQLQuery("secrets", `SELECT t.repository, t.name, t.record, t.for_file FROM secrets t`, 2),
	projections.SQLQuery("repositories", `SELECT g.repository, g.live FROM repositories g`, 1),
	projections.SQLQuery("builds", `SELECT q.build, q.repository, q.source, q.ref, q.commit_id, q.rule, q.settings, q.tags, q.test, q.untrusted, q.from_file, q.pull, q.retry_of, q.rebuild, q.upload, q.hooks,
		s.state, s.epoch, s.digest, s.outcome, s.reason, s.detail, s.tags, s.refused, s.provenance FROM queued q JOIN states s ON s.build = q.build`, 1),
	projections.SQLQuery("lines", `SELECT l.repository, l.source, l.ref, l.rule, l.build, l.rebuild FROM lines l`, 4),
	projections.SQLQuery("bases", `SELECT a.build, a.number, a.name, a.digest, a.platform, a.repository, a.tag FROM bases a`, 2),
	projections.SQLQuery("claims", `SELECT c.build, c.epoch, c.builder, c.scanner FROM claims c`, 2),
	projections.SQLQuery("hooked", `SELECT h.build FROM hooked h`, 1),
	projections.SQLQuery("losses", `SELECT l.build, l.times FROM losses l`, 1),
	projections.SQLQuery("steps", `SELECT p.build, p.epoch, p.step, p.kind, p.name, p.took, p.cached, p.failed FROM steps p`, 3),
	projections.SQLQuery("logs", `SELECT o.build, o.digest, o.size, o.written FROM logs o`, 1),
	projections.SQLQuery("unsealed", `SELECT u.build FROM unsealed u`, 1),
	projections.SQLQuery("requests", `SELECT d.repository, d.source, d.ref, d.event FROM requests d`, 3),
	projections.SQLQuery("triggers", `SELECT h.trigger, h.repository, h.name, h.hash, h.live FROM triggers h`, 1),
	projections.SQLQuery("reports", `SELECT o.source, o.wanted, o.seq FROM reports o`, 1),
	projections.SQLQuery("unreported", `SELECT u.source, u.seq, u.pending FROM unreported u`, 2),
	projections.SQLQuery("refusals", `SELECT f.source, f.until, f.node, f.requests FROM refusals f`, 3),
}
