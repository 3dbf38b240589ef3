package rules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/source"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

type object = map[string]any

// A world is a hub with the organization acme, its repository acme/app and the git
// sources acme/app and elsewhere/app.
type world struct {
	*servertest.Server
	tokens map[string]string
	app    repository.ID
	git    source.ID // acme/app
}

func (w *world) made(id string, seq uint64, err error) string {
	w.T.Helper()
	w.Done(seq, err)
	return id
}

func newWorld(t testing.TB, c server.Config) *world {
	w, ctx := &world{Server: servertest.Start(t, c), tokens: map[string]string{"": ""}}, t.Context()
	for _, name := range []string{"owner", "member", "reader", "writer", "manager", "stranger"} {
		w.made(account.CreateUser(ctx, w.Log(), servertest.By, name))
		w.tokens[name] = w.Token(name, events.LevelAdmin)
	}
	acme := w.made(account.CreateOrganization(ctx, w.Log(), servertest.By, "acme", w.Account("owner").ID))
	w.Done(account.GrantMembership(ctx, w.Log(), servertest.By, acme, acme, w.Account("member").ID, events.RoleMember))
	name, err := repository.ParseName("acme/app")
	if err == nil {
		w.app, err = repository.Ensure(ctx, w.Log(), servertest.By, name, events.Private)
	}
	if err != nil {
		t.Fatal(err)
	}
	for who, role := range map[string]string{"reader": events.RoleRead, "writer": events.RoleWrite, "manager": events.RoleAdmin} {
		w.Done(account.GiveGrant(ctx, w.Log(), servertest.By, events.GrantGiven{Namespace: acme, Repository: w.app.Repository, Grantee: w.Account(who).ID, GranteeKind: events.GranteeUser, Role: role}))
	}
	w.git = w.link(acme, "acme/app")
	w.link(w.Account("stranger").ID, "stranger/app")
	w.CatchUp()
	return w
}

// link links a git source that is never swept: its host does not exist.
func (w *world) link(namespace, name string) source.ID {
	w.T.Helper()
	id := source.ID{Namespace: namespace}
	var err error
	if id.Source, err = command.NewID(); err != nil {
		w.T.Fatal(err)
	}
	w.Done(source.Link(w.T.Context(), w.Log(), servertest.By, id, name, events.SourceSettings{URL: "https://git.invalid/app.git", Host: events.HostGit, HookSecret: "x"}))
	return id
}

// move moves a ref of acme/app.
func (w *world) move(ref, commit string) {
	w.T.Helper()
	kind := events.RefBranch
	if strings.HasPrefix(ref, "refs/tags/") {
		kind = events.RefTag
	}
	w.Done(command.Append(w.T.Context(), w.Log(), servertest.By, events.RefMoved{Namespace: w.git.Namespace, Source: w.git.Source, Ref: ref, Kind: kind, New: commit}, events.AnySeq))
}

// ask is call about the rules of acme/app.
func (w *world) ask(as, method, path string, body any, status int, out any) {
	w.T.Helper()
	w.call(as, method, "/repositories/acme/app/rules"+path, body, status, out)
}

// call sends a request as somebody; it must have that status. The answer is read into
// out, if that is not nil.
func (w *world) call(as, method, path string, body any, status int, out any) {
	w.T.Helper()
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	if token := w.tokens[as]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	a := httptest.NewRecorder()
	w.Handler.ServeHTTP(a, r)
	if a.Code != status {
		w.T.Fatalf("%s: %s %s: %d, %s", as, method, path, a.Code, a.Body)
	}
	if text, ok := out.(*string); ok {
		*text = a.Body.String()
	} else if out != nil {
		if err := json.Unmarshal(a.Body.Bytes(), out); err != nil {
			w.T.Fatal(err)
		}
	}
}

func edge(tag string) object {
	return object{"name": "edge-" + tag, "branch": "main", "tags": []string{tag}}
}

func rulesOf(source string, rules ...object) object {
	return object{"source": source, "rules": rules}
}

// Who may see and set rules. A source that the rules did not name before has to be one
// that the caller may see.
func TestWhoMaySetRules(t *testing.T) {
	w := newWorld(t, server.Config{})
	for _, want := range []struct {
		who      string
		get, set int
	}{{"", 404, 404}, {"stranger", 404, 404}, {"member", 404, 404}, {"reader", 403, 403}, {"writer", 200, 403}, {"manager", 200, 422}, {"owner", 200, 200}} {
		who := want.who
		w.ask(who, "GET", "", nil, want.get, nil)
		w.ask(who, "POST", "/simulate", object{"refs": []string{}}, want.get, nil)
		w.ask(who, "PUT", "", rulesOf("acme/app", edge("a")), want.set, nil)
	}
	// The manager of one repository may change the rules of the source that is there, but
	// names no other one.
	w.ask("manager", "PUT", "", rulesOf("acme/app", edge("b")), 200, nil)
	other := w.link(w.git.Namespace, "acme/secret")
	w.ask("manager", "PUT", "", rulesOf("acme/secret", edge("b")), 422, nil)
	w.ask("manager", "POST", "/simulate", object{"source": "acme/secret"}, 422, nil)
	w.ask("owner", "PUT", "", rulesOf("acme/secret", edge("b")), 200, nil)
	w.ask("owner", "PUT", "", rulesOf("stranger/app", edge("b")), 422, nil)
	w.ask("owner", "PUT", "", rulesOf("acme/nothing", edge("b")), 422, nil)
	var saved apitypes.Rules
	w.ask("writer", "GET", "", nil, 200, &saved)
	if saved.Source != "acme/secret" {
		t.Errorf("%+v", saved)
	}
	w.Done(source.Unlink(t.Context(), w.Log(), servertest.By, other, "acme/secret"))
	w.ask("writer", "GET", "", nil, 200, &saved)
	if saved.Source != "" || len(saved.Rules) != 1 || len(saved.Warnings) != 1 || !strings.Contains(saved.Warnings[0].What, "unlinked") {
		t.Errorf("of a source that was unlinked: %+v", saved)
	}
}

func TestSetRules(t *testing.T) {
	w := newWorld(t, server.Config{})
	var saved apitypes.Rules
	w.ask("owner", "GET", "", nil, 200, &saved)
	if saved.Seq != 0 || saved.Rules == nil || len(saved.Rules) != 0 || saved.Changed != nil || saved.Source != "" {
		t.Errorf("never set: %+v", saved)
	}
	body := rulesOf("acme/app", edge("latest"), object{"name": "release", "tag": `/^v(.*)$/`, "tags": []string{`{\1}`, "latest"}, "cache": false})
	body["seq"] = 0
	w.ask("owner", "PUT", "", body, 200, &saved)
	first := saved.Seq
	if first == 0 || saved.Source != "acme/app" || len(saved.Rules) != 2 || !saved.Rules[0].Autobuild || !saved.Rules[0].Cache || saved.Rules[1].Cache || saved.ChangedBy != "owner" || saved.Changed == nil {
		t.Errorf("%+v", saved)
	}
	if len(saved.Warnings) != 1 || saved.Warnings[0].Rule != "release" || !saved.Warnings[0].Warning {
		t.Errorf("two rules give latest, and that is not said: %+v", saved.Warnings)
	}
	last := w.LastSeq()
	other := rulesOf("acme/app", edge("other"))
	other["seq"] = 0
	w.ask("owner", "PUT", "", other, 409, nil) // they are no longer those of 0
	w.ask("owner", "PUT", "", body, 200, nil)  // but are what is wanted
	body["seq"] = first
	w.ask("owner", "PUT", "", body, 200, &saved)
	if saved.Seq != first || w.LastSeq() != last {
		t.Errorf("the same rules were written again: %d, %d", saved.Seq, w.LastSeq())
	}
	var problem struct {
		Errors []struct{ Location, Message string }
	}
	for what, row := range map[string]struct {
		body     object
		location string
	}{
		"lookahead":      {rulesOf("acme/app", edge("a"), object{"name": "b", "tag": "/v(?=1)/", "tags": []string{"x"}}), "body.rules[1].tag"},
		"no source":      {rulesOf("", edge("a")), "body.rules"},
		"no rules":       {rulesOf("acme/app"), "body.rules"},
		"unknown field":  {rulesOf("acme/app", object{"name": "b", "branch": "main", "tags": []string{"x"}, "pull": 1}), "body.rules[0].pull"},
		"no name":        {rulesOf("acme/app", object{"branch": "main", "tags": []string{"x"}}), "body.rules[0]"},
		"neither":        {rulesOf("acme/app", object{"name": "b", "tags": []string{"x"}}), "body.rules[0]"},
		"unknown source": {rulesOf("acme/x", edge("a")), "body.source"},
	} {
		if row.body["rules"].([]object) == nil {
			row.body["rules"] = []object{}
		}
		w.ask("owner", "PUT", "", row.body, 422, &problem)
		if len(problem.Errors) == 0 || problem.Errors[0].Location != row.location {
			t.Errorf("%s: %+v", what, problem)
		}
	}
	if w.LastSeq() != last {
		t.Error("what was refused is in the log")
	}
	w.ask("owner", "PUT", "", object{"source": "", "rules": []object{}}, 200, &saved)
	if len(saved.Rules) != 0 || saved.Source != "" || saved.Seq <= first {
		t.Errorf("%+v", saved)
	}
}

// A git source feeds so many repositories.
func TestSourceFeedsSoMany(t *testing.T) {
	w := newWorld(t, server.Config{})
	for n := range 20 {
		id, err := command.NewID()
		if err != nil {
			t.Fatal(err)
		}
		w.Done(buildrule.Save(t.Context(), w.Log(), servertest.By, repository.ID{Namespace: w.git.Namespace, Repository: id}, fmt.Sprint("acme/r", n),
			buildrule.Saved{Source: w.git.Source, Rules: []buildrule.Rule{{Name: "a", Branch: "main", Tags: []string{"a"}}}}, nil))
	}
	var refused string
	w.ask("owner", "PUT", "", rulesOf("acme/app", edge("a")), 422, &refused)
	if !strings.Contains(refused, "20 repositories already") {
		t.Error(refused)
	}
}

// The simulator answers before rules are saved, over named refs and those seen.
func TestSimulateRules(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.move("refs/heads/main", "c1")
	w.move("refs/heads/gone", "c1")
	w.move("refs/heads/gone", "")
	w.move("refs/tags/v1.0", "c2")
	try := object{"rules": []object{{"name": "release", "tag": `/^v(.*)$/`, "tags": []string{`{\1}`}}}}
	var sim buildrule.Simulation
	w.ask("owner", "POST", "/simulate", try, 422, nil) // no source whose refs could be taken
	try["source"] = "acme/app"
	w.ask("owner", "POST", "/simulate", try, 200, &sim)
	if len(sim.Refs) != 2 || sim.Refs[0].Sentence != `tag v1.0 would build 1.0, because rule release: /^v(.*)$/ matches "v1.0".` || sim.Refs[0].Ref.Commit != "c2" ||
		sim.Refs[1].Verdicts[0].Reason != buildrule.KindDiffers || sim.Rules[0].Builds != 1 {
		t.Errorf("%+v", sim)
	}
	w.ask("owner", "POST", "/simulate", object{"refs": []string{"refs/heads/x"}, "rules": []object{edge("a")}}, 200, &sim)
	if len(sim.Refs) != 1 || sim.Refs[0].Verdicts[0].Reason != buildrule.NameDiffers {
		t.Errorf("%+v", sim)
	}
	w.ask("owner", "POST", "/simulate", object{"refs": []string{"main"}}, 422, nil)
	w.ask("owner", "POST", "/simulate", object{"refs": []string{"refs/heads/x"}, "rules": []object{{"name": "a", "branch": "/(/", "tags": []string{"x"}}}}, 422, nil)
	// The saved rules, over the refs of their source, for who may only push.
	w.ask("owner", "PUT", "", rulesOf("acme/app", edge("latest")), 200, nil)
	w.ask("writer", "POST", "/simulate", object{}, 200, &sim)
	if len(sim.Refs) != 2 || sim.Refs[1].Verdicts[0].Outcome != buildrule.Build {
		t.Errorf("%+v", sim)
	}
	w.ask("writer", "POST", "/simulate", object{"pullRequest": "fork"}, 200, &sim)
	if len(sim.Refs) != 1 || sim.Refs[0].Verdicts[0].Reason != buildrule.PullRequest {
		t.Errorf("%+v", sim)
	}
}

// A ref that moves is evaluated by a running hub, for each repository whose rules are
// for its source.
func TestMovesAreEvaluated(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.ask("owner", "PUT", "", rulesOf("acme/app", edge("latest"), object{"name": "docs", "branch": "main", "tags": []string{"docs"}, "paths": []string{"docs/**"}}), 200, nil)
	begin := w.LastSeq() + 1
	w.move("refs/heads/main", "c1")
	var p events.PushEvaluated
	end := after(w, begin, &p)
	if p.Repository != w.app.Repository || p.Commit != "c1" || len(p.Verdicts) != 2 || p.Verdicts[0].Tags[0] != "latest" || !strings.Contains(p.Verdicts[1].Detail, buildrule.FirstTime) {
		t.Errorf("%+v", p)
	}
	if p.Previous != "" {
		t.Errorf("the first evaluation has one before it: %s", p.Previous)
	}
	// This hub cannot fetch, so that what depends on the commit waits, and nothing else.
	w.move("refs/heads/main", "c2")
	w.CatchUp()
	var waiting apitypes.WaitingPushes
	w.call("writer", "GET", "/repositories/acme/app/waiting-pushes", nil, 200, &waiting)
	if len(waiting.Pushes) != 1 || waiting.Pushes[0].Commit != "c2" || !strings.Contains(waiting.Pushes[0].Why, "cannot fetch") {
		t.Errorf("%+v", waiting)
	}
	w.ask("owner", "PUT", "", rulesOf("acme/app", edge("latest"), edge("docs")), 200, nil)
	if end = after(w, end, &p); p.Commit != "c2" || p.Previous != "c1" || p.After == "" {
		t.Errorf("%+v", p)
	}
	w.CatchUp()
	w.call("writer", "GET", "/repositories/acme/app/waiting-pushes", nil, 200, &waiting)
	if len(waiting.Pushes) != 0 {
		t.Errorf("%+v", waiting)
	}
	var list struct{ Items []apitypes.Push }
	w.call("writer", "GET", "/repositories/acme/app/pushes", nil, 200, &list)
	if len(list.Items) != 1 || list.Items[0].Ref != "refs/heads/main" || list.Items[0].Commit != "c2" || list.Items[0].Seq != end-1 || list.Items[0].Summary != "to build latest; to build docs" || len(list.Items[0].Verdicts) != 2 {
		t.Errorf("%+v", list)
	}
}

// await is the event of that sequence, as soon as it is in the log.
func (w *world) await(seq uint64) *events.Event {
	w.T.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if e, err := w.Log().Get(w.T.Context(), seq); err == nil {
			return e
		} else if time.Now().After(end) {
			w.T.Fatalf("there is no event %d: %v", seq, err)
		}
	}
}
