package githook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

const (
	a    = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
	b    = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"
	none = "0000000000000000000000000000000000000000"
	url1 = "https://git.example.org/acme/app.git"
)

// What each host sends, in the shape that it documents, shortened.
const (
	githubPush = `{"ref":"refs/heads/main","before":"` + a + `","after":"` + b + `","created":false,"deleted":false,"forced":false,"base_ref":null,
		"compare":"https://git.example.org/acme/app/compare/6113728f27ae...0d1a26e67d8f","commits":[{"id":"` + b + `","message":"A \"ref\":\"refs/heads/x\" in a message","author":{"name":"Al","email":"al@example.org"}}],
		"head_commit":{"id":"` + b + `"},"repository":{"id":9007199254740993,"full_name":"acme/app","clone_url":"` + url1 + `"},"pusher":{"name":"al"}}`
	githubDelete = `{"ref":"refs/heads/old","before":"` + a + `","after":"` + none + `","created":false,"deleted":true,"commits":[],"head_commit":null,"repository":{"clone_url":"` + url1 + `"}}`
	githubTag    = `{"ref":"refs/tags/v1.0","before":"` + none + `","after":"` + b + `","created":true,"deleted":false,"base_ref":"refs/heads/main","repository":{"clone_url":"` + url1 + `"}}`
	githubCreate = `{"ref":"v1.0","ref_type":"tag","master_branch":"main","description":null,"pusher_type":"user","repository":{"clone_url":"` + url1 + `"}}`
	githubPing   = `{"zen":"Keep it logically awesome.","hook_id":109948940,"hook":{"type":"Repository","events":["push"],"config":{"url":"https://hub.example.org/hooks/x"}},"repository":{"clone_url":"` + url1 + `"}}`
	giteaPush    = `{"ref":"refs/tags/v2","before":"` + none + `","after":"` + a + `","compare_url":"","commits":[],"total_commits":0,"head_commit":null,"repository":{"id":140,"clone_url":"` + url1 + `"},"pusher":{"id":1}}`
	giteaTest    = `{"ref":"refs/heads/main","before":"` + a + `","after":"` + a + `","compare_url":"","commits":[{"id":"` + a + `"}],"total_commits":1,"repository":{"clone_url":"` + url1 + `"}}`
	giteaCreate  = `{"sha":"` + a + `","ref":"topic/x","ref_type":"branch","repository":{"clone_url":"` + url1 + `"},"sender":{"id":1}}`
	giteaDelete  = `{"ref":"v1","ref_type":"tag","pusher_type":"user","repository":{"clone_url":"` + url1 + `"}}`
	gitlabPush   = `{"object_kind":"push","event_name":"push","before":"` + a + `","after":"` + b + `","ref":"refs/heads/main","ref_protected":true,"checkout_sha":"` + b + `","user_id":4,"project_id":15,
		"project":{"id":15,"name":"App","git_ssh_url":"git@git.example.org:acme/app.git","git_http_url":"` + url1 + `"},"commits":[],"total_commits_count":4}`
	gitlabTagDelete = `{"object_kind":"tag_push","event_name":"tag_push","before":"` + a + `","after":"` + none + `","ref":"refs/tags/v1","checkout_sha":null,"project":{"git_http_url":"` + url1 + `"},"commits":[]}`
	gitlabSystem    = `{"event_name":"repository_update","user_id":1,"project_id":1,"project":{"git_http_url":"` + url1 + `"},"changes":[{"before":"` + a + `","after":"` + b + `","ref":"refs/heads/main"},{"before":"` + none + `","after":"` + b + `","ref":"refs/tags/v3"}],"refs":["refs/heads/main"]}`
	bitbucketPush   = `{"push":{"changes":[
		{"old":{"type":"branch","name":"main","target":{"type":"commit","hash":"` + a + `"}},"new":{"type":"branch","name":"main","target":{"type":"commit","hash":"` + b + `"}},"created":false,"closed":false,"truncated":true,"commits":[{"hash":"` + b + `"}]},
		{"old":null,"new":{"type":"tag","name":"v1/ä","target":{"hash":"` + b + `"}},"created":true,"closed":false},
		{"old":{"type":"branch","name":"gone","target":{"hash":"` + a + `"}},"new":null,"created":false,"closed":true}]},
		"repository":{"type":"repository","full_name":"acme/app","links":{"html":{"href":"https://git.example.org/acme/app"}}},"actor":{"nickname":"al"}}`
	serverPush = `{"eventKey":"repo:refs_changed","date":"2026-11-01T00:00:00+0000","actor":{"name":"al"},"repository":{"slug":"app","links":{"clone":[{"href":"ssh://git@git.example.org:7999/acme/app.git","name":"ssh"},{"href":"` + url1 + `","name":"http"}]}},
		"changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},"refId":"refs/heads/main","fromHash":"` + a + `","toHash":"` + b + `","type":"UPDATE"},
		{"ref":{"id":"refs/tags/v1","displayId":"v1","type":"TAG"},"fromHash":"` + none + `","toHash":"` + b + `","type":"ADD"},
		{"ref":{"id":"refs/heads/x","displayId":"x","type":"BRANCH"},"refId":"refs/heads/x","fromHash":"` + a + `","toHash":"` + none + `","type":"DELETE"}]}`
	plainPush = `{"changes":[{"before":"` + a + `","after":"` + b + `","ref":"refs/heads/main"},{"before":"` + none + `","after":"` + b + `","ref":"refs/tags/\"v1\""}]}`
)

// said are refs, of triples of a name and the ids before and now.
func said(triples ...string) (refs []events.HookRef) {
	for k := 0; k < len(triples); k += 3 {
		refs = append(refs, events.HookRef{Ref: triples[k], Old: triples[k+1], New: triples[k+2]})
	}
	return refs
}

// sent are the headers that a host sends with JSON.
func sent(host, event string) http.Header {
	h := header("Content-Type", "application/json; charset=utf-8", "User-Agent", "host/1")
	if event != "" {
		h.Set(eventHeader[host], event)
	}
	h.Set(deliveryHeader[host], "d-1")
	return h
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		host, event, body string
		says              string // the event, when it is another one
		ping              bool
		refs              []events.HookRef
		repository        string
	}{
		"github push":           {host: events.HostGitHub, event: "push", body: githubPush, refs: said("refs/heads/main", a, b)},
		"github delete":         {host: events.HostGitHub, event: "push", body: githubDelete, refs: said("refs/heads/old", a, "")},
		"github tag":            {host: events.HostGitHub, event: "push", body: githubTag, refs: said("refs/tags/v1.0", "", b)},
		"github create":         {host: events.HostGitHub, event: "create", body: githubCreate, refs: said("refs/tags/v1.0", "", "")},
		"github ping":           {host: events.HostGitHub, event: "ping", body: githubPing, ping: true},
		"github other":          {host: events.HostGitHub, event: "issues", body: `{"action":"opened","repository":{"clone_url":"` + url1 + `"}}`},
		"gitea tag":             {host: events.HostGitea, event: "push", body: giteaPush, refs: said("refs/tags/v2", "", a)},
		"gitea test":            {host: events.HostGitea, event: "push", body: giteaTest, ping: true},
		"gitea create":          {host: events.HostGitea, event: "create", body: giteaCreate, refs: said("refs/heads/topic/x", "", "")},
		"gitea delete":          {host: events.HostGitea, event: "delete", body: giteaDelete, refs: said("refs/tags/v1", "", "")},
		"gitlab push":           {host: events.HostGitLab, event: "Push Hook", body: gitlabPush, says: "push", refs: said("refs/heads/main", a, b)},
		"gitlab tag deleted":    {host: events.HostGitLab, event: "Tag Push Hook", body: gitlabTagDelete, says: "tag_push", refs: said("refs/tags/v1", a, "")},
		"gitlab system hook":    {host: events.HostGitLab, event: "System Hook", body: gitlabSystem, says: "repository_update", refs: said("refs/heads/main", a, b, "refs/tags/v3", "", b)},
		"gitlab other":          {host: events.HostGitLab, event: "Issue Hook", body: `{"object_kind":"issue","event_type":"issue","project":{"git_http_url":"` + url1 + `"}}`, says: "issue"},
		"bitbucket push":        {host: events.HostBitbucket, event: "repo:push", body: bitbucketPush, refs: said("refs/heads/main", a, b, "refs/tags/v1/ä", "", b, "refs/heads/gone", a, ""), repository: "https://git.example.org/acme/app"},
		"data center push":      {host: events.HostBitbucketServer, event: "repo:refs_changed", body: serverPush, refs: said("refs/heads/main", a, b, "refs/tags/v1", "", b, "refs/heads/x", a, "")},
		"data center ping":      {host: events.HostBitbucketServer, event: "diagnostics:ping", body: `{"test":true}`, ping: true, repository: "-"},
		"git push":              {host: events.HostGit, body: plainPush, says: "push", refs: said("refs/heads/main", a, b, `refs/tags/"v1"`, "", b), repository: "-"},
		"git, as from github":   {host: events.HostGit, event: "push", body: githubPush, refs: said("refs/heads/main", a, b)},
		"git says nothing":      {host: events.HostGit, body: ` {} `, says: "push", repository: "-"},
		"git ping":              {host: events.HostGit, event: "ping", body: `{}`, ping: true, repository: "-"},
		"null members":          {host: events.HostGitHub, event: "push", body: `{"ref":"refs/heads/x","before":null,"after":null,"repository":null}`, refs: said("refs/heads/x", "", ""), repository: "-"},
		"escaped key":           {host: events.HostGitHub, event: "push", body: `{"r\u0065f":"refs/heads/x","REF":"refs/heads/y"}`, refs: said("refs/heads/x", "", ""), repository: "-"},
		"credentials in a URL":  {host: events.HostGit, body: `{"repository":{"clone_url":"https://al:secret@git.example.org/acme/app.git"}}`, says: "push"},
		"a URL that is none":    {host: events.HostGit, body: `{"repository":{"clone_url":"javascript:alert(1)"}}`, says: "push", repository: "-"},
		"huge numbers":          {host: events.HostGitHub, event: "push", body: `{"ref":"refs/heads/x","repository":{"id":1e999999,"size":` + strings.Repeat("9", 5000) + `}}`, refs: said("refs/heads/x", "", ""), repository: "-"},
		"unusual names of refs": {host: events.HostGit, body: `{"changes":[{"ref":"refs/heads/a b"},{"ref":"refs/heads/../../etc/passwd"},{"ref":"refs/heads/😀"},{"ref":"refs/heads/\u001b[2J"},{"ref":"HEAD"}]}`, says: "push", refs: []events.HookRef{{Ref: "refs/heads/a b"}, {Ref: "refs/heads/../../etc/passwd"}, {Ref: "refs/heads/😀"}, {Ref: "refs/heads/\x1b[2J"}, {Ref: "HEAD"}}, repository: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			want := &Hook{Delivery: "d-1", Event: c.event, Ping: c.ping, Refs: c.refs, Repository: url1}
			if c.says != "" {
				want.Event = c.says
			}
			if want.Repository = c.repository; c.repository == "" {
				want.Repository = url1
			} else if c.repository == "-" {
				want.Repository = ""
			}
			for _, form := range []bool{false, true} {
				h, body := sent(c.host, c.event), c.body
				if form {
					h.Set("Content-Type", "application/x-www-form-urlencoded")
					body = url.Values{"payload": {c.body}, "other": {"x"}}.Encode()
				}
				got, err := Parse(c.host, h, []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				if got.Headers["User-Agent"] != "host/1" || got.Headers[deliveryHeader[c.host]] != "d-1" {
					t.Errorf("headers %v", got.Headers)
				}
				got.Headers = nil
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	for name, c := range map[string]struct {
		host, event, body, says string
		header                  http.Header // beside the host's
	}{
		"empty":                    {body: "", says: "no body"},
		"no JSON":                  {body: "ref=x", says: "no JSON"},
		"truncated":                {body: githubPush[:200], says: "unexpected end"},
		"more behind it":           {body: "{}{}", says: "no JSON"},
		"an array":                 {body: "[]", says: "no JSON object"},
		"a number":                 {body: "1", says: "no JSON object"},
		"only space":               {body: "  ", says: "no JSON"},
		"deep nesting":             {body: deep, says: "no JSON"},
		"null character":           {body: "{\"ref\":\"a\x00b\"}", says: "no JSON"},
		"escaped null character":   {body: `{"ref":"refs/heads/a\u0000b"}`, says: "null character"},
		"ref twice":                {body: `{"ref":"refs/heads/a","ref":"refs/heads/b"}`, says: "member ref twice"},
		"ref twice, escaped":       {body: `{"ref":"refs/heads/a","\u0072ef":null}`, says: "member ref twice"},
		"ref is a number":          {body: `{"ref":12}`, says: "ref is no string"},
		"after is an object":       {body: `{"ref":"x","after":{}}`, says: "after is no string"},
		"after is no id":           {body: `{"ref":"x","after":"../../x"}`, says: "not hexadecimal"},
		"id too long":              {body: `{"ref":"x","after":"` + strings.Repeat("a", 65) + `"}`, says: "not hexadecimal"},
		"no ref":                   {body: `{}`, says: "no name"},
		"repository is a string":   {body: `{"ref":"x","repository":"x"}`, says: "repository is no object"},
		"create of unknown kind":   {event: "create", body: `{"ref":"x","ref_type":"n\u001bote"}`, says: `unknown kind "n\\u001bote"`},
		"event missing":            {event: "-", body: `{"ref":"x"}`, says: "X-Github-Event is missing"},
		"event too long":           {event: strings.Repeat("x", 101), body: `{}`, says: "longer than 100"},
		"event no text":            {event: "a\xffb", body: `{}`, says: "no text"},
		"event twice":              {body: `{}`, header: header("X-Github-Event", "create"), says: "2 times"},
		"delivery twice":           {body: `{}`, header: header("X-Github-Delivery", "d-2"), says: "2 times"},
		"gitlab changes no array":  {host: events.HostGitLab, event: "System Hook", body: `{"event_name":"repository_update","changes":{}}`, says: "changes is no array"},
		"gitlab change no object":  {host: events.HostGitLab, event: "System Hook", body: `{"event_name":"repository_update","changes":[1]}`, says: "a change is no object"},
		"bitbucket, both null":     {host: events.HostBitbucket, event: "repo:push", body: `{"push":{"changes":[{"old":null,"new":null}]}}`, says: "no name"},
		"bitbucket, unknown kind":  {host: events.HostBitbucket, event: "repo:push", body: `{"push":{"changes":[{"new":{"type":"bookmark","name":"x"}}]}}`, says: "unknown kind"},
		"data center without name": {host: events.HostBitbucketServer, event: "repo:refs_changed", body: `{"changes":[{"toHash":"` + a + `"}]}`, says: "no name"},
		"another type":             {body: "{}", header: header("Content-Type", "text/plain"), says: "Content-Type is missing"},
	} {
		host, event := c.host, c.event
		if host == "" {
			host = events.HostGitHub
		}
		if event == "" {
			event = "push"
		}
		h := sent(host, strings.TrimPrefix(event, "-"))
		for name, values := range c.header {
			h[name] = append(h[name], values...)
		}
		got, err := Parse(host, h, []byte(c.body))
		if !errors.Is(err, ErrShape) || !strings.Contains(err.Error(), c.says) || !plaintext.IsLine(err.Error()) || len(err.Error()) > 600 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := Parse("svn", sent(events.HostGitHub, "push"), []byte("{}")); err == nil {
		t.Error("an unknown host is read")
	}
}

func TestForms(t *testing.T) {
	h := sent(events.HostGitHub, "push")
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	payload := url.QueryEscape(githubTag)
	for name, c := range map[string]struct{ body, says string }{
		"two payloads":           {"payload=" + payload + "&payload=" + payload, "payload 2 times"},
		"two payloads, escaped":  {"payload=" + payload + "&p%61yload=x", "payload 2 times"},
		"no payload":             {"Payload=" + payload, "no field payload"},
		"empty payload":          {"payload=", "no JSON"},
		"JSON instead of a form": {githubTag, "no field payload"},
		"wrong escape":           {"payload=%7", "not encoded"},
		"truncated":              {("payload=" + payload)[:100], "no JSON"},
	} {
		if got, err := Parse(events.HostGitHub, h, []byte(c.body)); !errors.Is(err, ErrShape) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A host that sends no id of the delivery has the body's digest instead.
func TestDeliveryOfTheBody(t *testing.T) {
	for host := range deliveryHeader {
		h := sent(host, "x")
		h.Del(deliveryHeader[host])
		got, err := Parse(host, h, []byte(`{}`))
		if err != nil || !got.Derived || got.Delivery != digest.FromString(`{}`).String() {
			t.Errorf("%s: %+v, %v", host, got, err)
		}
	}
}

// However much a webhook says, little of it is kept.
func TestBounds(t *testing.T) {
	var changes []string
	for k := range 250_000 {
		changes = append(changes, fmt.Sprintf(`{"ref":"refs/tags/v%d","after":"%s"}`, k, a))
	}
	body := `{"changes":[{"ref":"refs/heads/` + strings.Repeat("x", maxName) + `"},` + strings.Join(changes, ",") + `],"repository":{"clone_url":"https://x/` + strings.Repeat("x", maxURL) + `"}}`
	h := sent(events.HostGit, "push")
	h.Set("User-Agent", strings.Repeat("ä\x1b", 1000))
	got, err := Parse(events.HostGit, h, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Refs) != MaxRefs || got.Refs[0].Ref != "refs/tags/v0" || got.More != 250_000-MaxRefs+1 || got.Repository != "" {
		t.Errorf("%d refs from %s, %d more, repository %s", len(got.Refs), got.Refs[0].Ref, got.More, got.Repository)
	}
	if agent := got.Headers["User-Agent"]; len(agent) > maxHeader || len(agent) < maxHeader-10 || !plaintext.IsLine(agent) {
		t.Errorf("%d bytes of %q", len(agent), agent)
	}
}

// Secrets and signatures are not kept with what is.
func TestNoSecretIsKept(t *testing.T) {
	h := sent(events.HostGitLab, "Push Hook")
	for _, name := range []string{"X-Gitlab-Token", "Authorization", "Cookie", "X-Hub-Signature-256", "X-Gitea-Signature", "Webhook-Signature"} {
		h.Set(name, "planted")
	}
	got, err := Parse(events.HostGitLab, h, []byte(gitlabPush))
	if err != nil || strings.Contains(fmt.Sprintf("%+v", got), "planted") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever arrives is read within the bounds, or refused with a text that can be shown.
func FuzzParse(f *testing.F) {
	hosts := []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea, events.HostGit}
	for k, body := range []string{githubPush, githubCreate, gitlabPush, gitlabSystem, bitbucketPush, serverPush, giteaTest, plainPush, `{"ref":[{"a":"\"}"}]}`, "payload=%7B%7D"} {
		for n, event := range []string{"push", "repo:push", "repo:refs_changed", "create", "System Hook"} {
			f.Add(uint(k+n), event, "d-1", "application/json", body)
		}
	}
	f.Fuzz(func(t *testing.T, host uint, event, delivery, media, body string) {
		name := hosts[host%uint(len(hosts))]
		h := header("Content-Type", media, eventHeader[name], event, deliveryHeader[name], delivery)
		got, err := Parse(name, h, []byte(body))
		if err != nil {
			if !errors.Is(err, ErrShape) || !plaintext.IsLine(err.Error()) {
				t.Errorf("%v", err)
			}
			return
		}
		if got.Delivery == "" || got.Event == "" || len(got.Refs) > MaxRefs || len(got.Event) > maxEvent || got.Ping && len(got.Refs) > 0 {
			t.Errorf("%+v", got)
		}
		for _, r := range got.Refs {
			if r.Ref == "" || len(r.Ref) > maxName || !utf8.ValidString(r.Ref) || strings.ContainsRune(r.Ref, 0) || !isID(r.Old) || !isID(r.New) {
				t.Errorf("%+v", r)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Error(err)
		}
	})
}

// Every member of an object is found where encoding/json finds it.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{githubPush, bitbucketPush, ` { "a" : [ { } , "]" ] , "b\"" : -1e5 } `, `{"\\":"\\"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body := bytes.TrimSpace([]byte(text))
		if !json.Valid(body) || body[0] != '{' {
			t.Skip()
		}
		want := map[string]json.RawMessage{}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Skip()
		}
		got := map[string]json.RawMessage{}
		for key, v := range members(body) {
			var name string
			if err := json.Unmarshal(key, &name); err != nil {
				t.Fatal(err)
			}
			got[name] = json.RawMessage(v)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}
