package eventlog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// world is a hub in which much has happened: people with every sort of right, images,
// deletions, a name that was used again.
type world struct {
	*servertest.Server
	log        *eventlog.Reader
	all        []events.Event
	principals map[string]access.Principal
	repos      map[string]string // ids by name; "acme/again" is the second of that name
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	w := &world{Server: servertest.Start(t, server.Config{}), repos: map[string]string{}}
	ctx := t.Context()
	log, by := w.Log(), servertest.By
	made := func(id string, seq uint64, err error) string { w.Done(seq, err); return id }
	for _, name := range []string{"owner", "member", "reader", "writer", "manager", "wide", "stranger"} {
		made(account.CreateUser(ctx, log, by, name))
		w.Token(name, events.LevelAdmin)
	}
	id := func(name string) string { return w.Account(name).ID }
	acme := made(account.CreateOrganization(ctx, log, by, "acme", id("owner")))
	w.Done(account.GrantMembership(ctx, log, by, acme, acme, id("member"), events.RoleMember))
	team := made(account.CreateTeam(ctx, log, by, acme, "team", ""))
	made(account.CreateRobot(ctx, log, by, acme, "ci", ""))
	w.Token("acme+ci", events.LevelWrite)
	create := func(name, visibility string) {
		parsed, err := repository.ParseName(name)
		check(t, err)
		repo, err := repository.Ensure(ctx, log, by, parsed, visibility)
		check(t, err)
		w.CatchUp()
		w.repos[name] = repo.Repository
		for k := range 3 {
			w.Client().MustPush(t, name, fmt.Sprintf("1.%d", k), registrytest.NewImage(name, fmt.Sprint(k)))
		}
		w.Client().MustPush(t, name, "latest", registrytest.NewImage(name, "2"))
	}
	grant := func(repo, grantee, kind, role string) {
		w.Done(account.GiveGrant(ctx, log, by, events.GrantGiven{Namespace: acme, Repository: repo, Grantee: grantee, GranteeKind: kind, Role: role}))
	}
	for _, name := range []string{"acme/private", "acme/again", "acme/other"} {
		create(name, events.Private)
	}
	create("acme/public", events.Public)
	create("stranger/own", events.Private)
	for who, role := range map[string]string{"reader": events.RoleRead, "writer": events.RoleWrite, "manager": events.RoleAdmin} {
		grant(w.repos["acme/private"], id(who), events.GranteeUser, role)
		grant(w.repos["acme/again"], id(who), events.GranteeUser, role)
	}
	grant(w.repos["acme/other"], team, events.GranteeTeam, events.RoleRead)
	grant("", id("wide"), events.GranteeUser, events.RoleRead)
	for _, name := range []string{"acme/again", "acme/public"} {
		w.Client().Must(t, "DELETE", "/api/v1/repositories/"+name, nil).Want(t, 200)
	}
	w.repos["acme/first"] = w.repos["acme/again"]
	create("acme/again", events.Private)
	w.CatchUp()
	w.log = w.EventLog()
	check(t, w.readLog(ctx))
	w.principals = map[string]access.Principal{"nobody": access.Nobody, "operator": access.Operates}
	for _, name := range []string{"owner", "member", "reader", "writer", "manager", "wide", "stranger", servertest.Admin} {
		a := w.Account(name)
		w.principals[name] = access.Principal{Kind: access.User, ID: a.ID, Name: name, Admin: a.Admin, Credential: access.Password}
		limited := func(what string, l access.Limit) {
			p := w.principals[name]
			p.Limit = &l
			w.principals[name+", "+what] = p
		}
		limited("reading", access.Limit{Level: access.Read})
		limited("one", access.Limit{Level: access.Admin, Repositories: []string{"acme/private"}})
	}
	robot := w.Account("acme+ci")
	w.principals["robot"] = access.Principal{Kind: access.Robot, ID: robot.ID, Name: "acme+ci", Limit: &access.Limit{Level: access.Write}}
	return w
}

func (w *world) readLog(ctx context.Context) error {
	last, enough := w.LastSeq(), fmt.Errorf("enough")
	err := w.Log().Follow(ctx, 0, 100, func(batch []events.Event) error {
		if w.all = append(w.all, batch...); w.all[len(w.all)-1].Seq >= last {
			return enough
		}
		return nil
	})
	if err == enough {
		return nil
	}
	return err
}

// may says by the rule alone who may read an event.
func (w *world) may(t *testing.T, p access.Principal, e *events.Event) bool {
	h, err := w.log.Rights.Holdings(t.Context(), p)
	check(t, err)
	payload, err := events.Decode(e)
	check(t, err)
	entry := trail.Entry{Seq: e.Seq, Namespace: strings.Split(e.Subject, ".")[1], Audiences: trail.AudienceOf(payload)}
	return eventlog.MayRead(&entry, &h, map[string]bool{w.repos["acme/public"]: true})
}

func (w *world) pages(t *testing.T, p access.Principal, text string, oldest bool, limit int) (seqs []uint64) {
	t.Helper()
	q, err := eventquery.Parse(text)
	check(t, err)
	for o := (eventlog.Options{OldestFirst: oldest, Limit: limit}); ; {
		page, err := w.log.Page(t.Context(), p, q, o)
		check(t, err)
		if len(page.Events) > limit {
			t.Fatalf("a page of %d", len(page.Events))
		}
		for _, e := range page.Events {
			seqs = append(seqs, e.Seq)
		}
		if page.Next == 0 {
			break
		}
		o.Behind = page.Next
	}
	if !oldest {
		slices.Reverse(seqs)
	}
	return seqs
}

// Whatever the way in which a page finds its events, and however often it stops before it
// is full, all pages together have exactly the events that match and may be read.
func TestPagesAreWhatTheRuleSays(t *testing.T) {
	w := newWorld(t)
	some := w.all[len(w.all)*2/3]
	image := registrytest.NewImage("acme/private", "2")
	about := func(names ...string) func(e *events.Event) bool {
		return func(e *events.Event) bool {
			return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(string(e.Data), `"repository":"`+w.repos[name]+`"`) })
		}
	}
	is := func(types ...string) func(e *events.Event) bool {
		return func(e *events.Event) bool {
			return slices.ContainsFunc(types, func(name string) bool { return strings.HasPrefix(e.Type(), name) })
		}
	}
	both := func(all ...func(*events.Event) bool) func(*events.Event) bool {
		return func(e *events.Event) bool {
			return !slices.ContainsFunc(all, func(one func(*events.Event) bool) bool { return !one(e) })
		}
	}
	not := func(one func(*events.Event) bool) func(*events.Event) bool {
		return func(e *events.Event) bool { return !one(e) }
	}
	by := func(name string) func(*events.Event) bool {
		return func(e *events.Event) bool { return e.Actor() == name }
	}
	queries := map[string]func(e *events.Event) bool{
		"":                                     func(*events.Event) bool { return true },
		"type:image.":                          is("image."),
		"type:image.pushed":                    is("image.pushed.v1"),
		"type:image.pushed type:grant.*":       is("image.pushed.v1", "grant."),
		"-type:image.*":                        not(is("image.")),
		"actor:tester -type:token.issued":      both(by("tester"), not(is("token.issued"))),
		"-actor:tester -actor:system":          both(not(by("tester")), not(by("system"))),
		"repo:acme/private":                    about("acme/private"),
		"repo:acme/again":                      about("acme/again", "acme/first"),
		"repo:acme/public repo:acme/private":   about("acme/public", "acme/private"),
		"repo:acme/none":                       func(*events.Event) bool { return false },
		"-repo:acme/private type:image.pushed": both(not(about("acme/private")), is("image.pushed")),
		"namespace:stranger":                   func(e *events.Event) bool { return strings.HasPrefix(e.Subject, "evt."+w.Account("stranger").ID+".") },
		"aggregate:tag":                        func(e *events.Event) bool { return strings.Contains(e.Subject, ".tag.") },
		"-aggregate:tag repo:acme/private":     both(about("acme/private"), func(e *events.Event) bool { return !strings.Contains(e.Subject, ".tag.") }),
		"aggregate:" + some.Subject:            func(e *events.Event) bool { return e.Subject == some.Subject },
		"aggregate:" + some.Subject[:50] + "*": func(e *events.Event) bool { return strings.HasPrefix(e.Subject, some.Subject[:50]) },
		"digest:" + image.Digest().String():    func(e *events.Event) bool { return strings.Contains(string(e.Data), image.Digest().String()) },
		"digest:" + image.Digest().Encoded()[:13] + " -type:image.pushed": both(not(is("image.pushed")), func(e *events.Event) bool {
			return strings.Contains(string(e.Data), image.Digest().String())
		}),
		"correlation:" + some.Correlation():             func(e *events.Event) bool { return e.Correlation() == some.Correlation() },
		"-correlation:" + some.Correlation():            func(e *events.Event) bool { return e.Correlation() != some.Correlation() },
		"cause:" + some.ID():                            func(e *events.Event) bool { return e.Cause() == some.ID() },
		"since:" + some.Attr(events.AttrTime):           func(e *events.Event) bool { return !e.Time().Before(some.Time()) },
		"before:" + some.Attr(events.AttrTime):          func(e *events.Event) bool { return e.Time().Before(some.Time()) },
		"since:1h -since:" + some.Attr(events.AttrTime): func(e *events.Event) bool { return e.Time().Before(some.Time()) },
	}
	for _, bound := range []struct{ examined, atOnce, scopes, limit int }{{10_000, 500, 200, 100}, {20, 7, 200, 3}, {16, 8, 0, 5}} {
		w.log.Bound(bound.examined, bound.atOnce, bound.scopes)
		for who, p := range w.principals {
			for text, matches := range queries {
				if bound.limit < 100 && len(text)%3 != bound.limit%3 { // the rest is as with large bounds
					continue
				}
				var want []uint64
				for k := range w.all {
					if e := &w.all[k]; matches(e) && w.may(t, p, e) {
						want = append(want, e.Seq)
					}
				}
				for _, oldest := range []bool{false, true} {
					if got := w.pages(t, p, text, oldest, bound.limit); !slices.Equal(got, want) {
						t.Errorf("%s, %q, oldest first %t, %+v:\n%v\nwant %v", who, text, oldest, bound, got, want)
					}
				}
			}
		}
	}
}

// What somebody may read is more than nothing and less than all, where that is so.
func TestWhoMayReadWhat(t *testing.T) {
	w := newWorld(t)
	reads := func(who, text string) bool { return len(w.pages(t, w.principals[who], text, false, 100)) > 0 }
	for text, list := range map[string]string{
		"repo:acme/private type:image.pushed":     "operator, admin, owner, reader, writer, manager, wide, robot-, member-, stranger-, nobody-",
		"repo:acme/again type:repository.deleted": "operator, admin, owner, reader, writer, manager, wide, member-, stranger-, nobody-",
		"repo:acme/public type:image.pushed":      "operator, admin, owner, reader, member, stranger, nobody, robot",
		"repo:acme/private type:grant.":           "operator, admin, owner, manager, reader, wide-, member-, stranger-, nobody-",
		"type:token.issued":                       "operator, admin, stranger, owner, nobody-, robot-",
		"actor:tester type:team.created":          "operator, admin, owner, member-, manager-, wide-, nobody-",
		"type:hub.initialized":                    "operator, admin, owner-, nobody-",
		"type:membership.granted":                 "operator, admin, owner, member, reader-, nobody-",
	} {
		for _, who := range strings.Split(list, ", ") {
			who, not := strings.CutSuffix(who, "-")
			if reads(who, text) == not {
				t.Errorf("%s reads %q: %t", who, text, !not)
			}
		}
	}
	for _, who := range []string{"admin, reading", "owner, reading", "stranger, reading", "owner, one"} {
		if reads(who, "type:token.issued") {
			t.Errorf("%s reads of tokens", who)
		}
	}
	if reads("owner, one", "repo:acme/other") || !reads("owner, one", "repo:acme/private") {
		t.Error("a credential for one repository shows others, or not that one")
	}
}

// What a page may look through is counted in look-ups, so that it is bounded however far apart
// the events stand and whatever is asked of them.
func TestWorkOfAPage(t *testing.T) {
	near, far := []uint64{3, 4, 6, 9}, []uint64{9, 1009, 2009, 3009}
	for name, c := range map[string]struct{ work, want int }{
		"close together":                  {eventlog.Work(near, 3, 2), 4},
		"close together, nothing asked":   {eventlog.Work(near), 4},
		"far apart, nothing asked":        {eventlog.Work(far), 4},
		"far apart, three lists":          {eventlog.Work(far, 3), 12},
		"far apart, two conditions":       {eventlog.Work(far, 3, 2), 20},
		"far apart, a look at the events": {eventlog.Work(far, 0), 4},
		"far apart, that and a list":      {eventlog.Work(far, 0, 1), 8},
	} {
		if c.work != c.want {
			t.Errorf("%s: %d, want %d", name, c.work, c.want)
		}
	}
}
