package source_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/source"
	"hubledger/streams/streamtest"
)

var (
	by    = command.By{Source: "/test", Actor: "tester"}
	first = source.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Source: "0191d1a0-0000-7000-8000-000000000002"}
	other = source.ID{Namespace: first.Namespace, Source: "0191d1a0-0000-7000-8000-000000000003"}
)

const deployKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPnhWTKRmmqYyXH29hVNCb2VJ9A5vfTNUmGSzjEsDUf5"

var (
	open  = events.SourceSettings{URL: "https://git.example.com/app", Host: events.HostGit, HookSecret: "h"}
	token = events.SourceSettings{URL: "https://git.example.com/app", Host: events.HostGit, Credentials: events.CredentialsToken, Secret: "s", User: "git", HookSecret: "h"}
	key   = events.SourceSettings{URL: "git@git.example.com:app", Host: events.HostGit, Credentials: events.CredentialsDeployKey, Secret: "s", DeployKey: deployKey, HookSecret: "h"}
)

func TestCheck(t *testing.T) {
	with := func(s events.SourceSettings, edit func(*events.SourceSettings)) events.SourceSettings {
		edit(&s)
		return s
	}
	for what, c := range map[string]struct {
		s    events.SourceSettings
		says string // "": it is good
	}{
		"open":                 {open, ""},
		"token":                {token, ""},
		"deploy key":           {key, ""},
		"host key":             {with(key, func(s *events.SourceSettings) { s.HostKey = deployKey }), ""},
		"no URL":               {with(open, func(s *events.SourceSettings) { s.URL = "" }), "URL"},
		"a path":               {with(open, func(s *events.SourceSettings) { s.URL = "/etc/passwd" }), "URL"},
		"file":                 {with(open, func(s *events.SourceSettings) { s.URL = "file:///etc/passwd" }), "not supported"},
		"a password":           {with(open, func(s *events.SourceSettings) { s.URL = "https://a:b@git.example.com/app" }), "credentials"},
		"written otherwise":    {with(open, func(s *events.SourceSettings) { s.URL = "HTTPS://git.example.com/app" }), "is written https://git"},
		"kind of host":         {with(open, func(s *events.SourceSettings) { s.Host = "sourceforge" }), "sourceforge"},
		"token in clear":       {with(token, func(s *events.SourceSettings) { s.URL = "http://git.example.com/app" }), "https only"},
		"token by ssh":         {with(token, func(s *events.SourceSettings) { s.URL = "git@git.example.com:app" }), "https only"},
		"token without user":   {with(token, func(s *events.SourceSettings) { s.User = "" }), "user name"},
		"user with colon":      {with(token, func(s *events.SourceSettings) { s.User = "a:b" }), "user name"},
		"user without token":   {with(open, func(s *events.SourceSettings) { s.User = "a" }), "user name"},
		"token, no record":     {with(token, func(s *events.SourceSettings) { s.Secret = "" }), "record"},
		"no hook secret":       {with(open, func(s *events.SourceSettings) { s.HookSecret = "" }), "record"},
		"key by https":         {with(key, func(s *events.SourceSettings) { s.URL = "https://git.example.com/app" }), "write git@git.example.com:app"},
		"ssh without key":      {with(open, func(s *events.SourceSettings) { s.URL = "git@git.example.com:app" }), "needs a deploy key"},
		"no key":               {with(key, func(s *events.SourceSettings) { s.DeployKey = "" }), "authorized_keys"},
		"two keys":             {with(key, func(s *events.SourceSettings) { s.DeployKey = deployKey + "\n" + deployKey }), "authorized_keys"},
		"host key of https":    {with(open, func(s *events.SourceSettings) { s.HostKey = deployKey }), "ssh URLs"},
		"host key is nonsense": {with(key, func(s *events.SourceSettings) { s.HostKey = "ssh-ed25519 x" }), "authorized_keys"},
		"other credentials":    {with(token, func(s *events.SourceSettings) { s.Credentials = "cookie" }), "credentials are"},
	} {
		err := source.Check(c.s)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, source.ErrSettings) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", what, err, c.says)
		}
	}
}

// A name has one source at a time; what it was told before does not come back.
func TestLinkSetUnlink(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	const name = "acme/app"
	same := func(s events.SourceSettings) (events.SourceSettings, error) { return s, nil }
	toToken := func(events.SourceSettings) (events.SourceSettings, error) { return token, nil }
	link := func(id source.ID, name string, s events.SourceSettings) func() (uint64, error) {
		return func() (uint64, error) { return source.Link(ctx, log, by, id, name, s) }
	}
	set := func(id source.ID, edit func(events.SourceSettings) (events.SourceSettings, error)) func() (uint64, error) {
		return func() (uint64, error) { return source.Set(ctx, log, by, id, name, nil, edit) }
	}
	unlink := func(id source.ID) func() (uint64, error) {
		return func() (uint64, error) { return source.Unlink(ctx, log, by, id, name) }
	}
	for k, c := range []struct {
		do  func() (uint64, error)
		seq uint64
		err error
	}{
		{set(first, same), 0, source.ErrUnknown},
		{unlink(first), 0, source.ErrUnknown},
		{link(first, "app", open), 0, repository.ErrName},
		{link(first, "library/app", open), 0, repository.ErrName},
		{link(first, "Acme/app", open), 0, repository.ErrName},
		{link(first, name, events.SourceSettings{}), 0, source.ErrSettings},
		{link(first, name, open), 1, nil},
		{link(first, name, open), 1, nil}, // the same attempt again
		{link(other, name, open), 0, source.ErrTaken},
		{set(other, same), 0, source.ErrUnknown},
		{set(first, same), 1, nil},
		{set(first, toToken), 2, nil},
		{set(first, toToken), 2, nil},
		{set(first, func(s events.SourceSettings) (events.SourceSettings, error) { s.Host = "x"; return s, nil }), 0, source.ErrSettings},
		{unlink(other), 0, source.ErrUnknown},
		{unlink(first), 3, nil},
		{unlink(first), 0, source.ErrUnknown},
		{set(first, same), 0, source.ErrUnknown},
		{link(other, name, open), 4, nil},
	} {
		if seq, err := c.do(); seq != c.seq || !errors.Is(err, c.err) {
			t.Errorf("step %d: event %d, %v; want event %d, %v", k, seq, err, c.seq, c.err)
		}
	}
	e, err := log.Get(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := events.Decode(e); err != nil || strings.Join(p.(events.SourceChanged).Changed, " ") != "credentials" || p.(events.SourceChanged).Settings != token {
		t.Errorf("the change is %+v, %v", p, err)
	}
}

// A ref's own latest event decides whether it has moved, and what it was before.
func TestMove(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	for k, c := range []struct {
		commit, tag string
		moved       bool
		old         string
	}{
		{"", "", false, ""}, // deleted, and never seen
		{"c1", "", true, ""},
		{"c1", "", false, ""},
		{"c1", "t1", true, "c1"}, // the same commit, now by an annotated tag
		{"c2", "t2", true, "c1"},
		{"", "", true, "c2"},
		{"", "", false, ""},
		{"c2", "", true, ""},
	} {
		now := events.RefMoved{Namespace: first.Namespace, Source: first.Source, Ref: "refs/tags/v1", Kind: events.RefTag, New: c.commit, Annotated: c.tag}
		seq, moved, err := source.Move(ctx, log, by, now)
		if err != nil || moved != c.moved {
			t.Fatalf("step %d: moved %t, %v", k, moved, err)
		}
		if !moved {
			continue
		}
		e, err := log.Get(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		now.Old = c.old
		if p, err := events.Decode(e); err != nil || p != events.Payload(now) {
			t.Errorf("step %d: %+v, %v; want %+v", k, p, err, now)
		}
	}
	for range 2 {
		if seq, err := source.Record(ctx, log, by, first, 3); err != nil || seq != 6 {
			t.Errorf("recorded as event %d, %v", seq, err)
		}
	}
}
