package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A hub with people, an organization and images.
type hub struct {
	*servertest.Server
	secrets map[string]string // by who asks; "" is nobody
}

func (h *hub) made(id string, seq uint64, err error) string {
	h.T.Helper()
	h.Done(seq, err)
	return id
}

// newHub has the organization acme, which owner owns and member is in; its repositories
// acme/private, which reader may read and writer push to, and acme/public.
func newHub(t *testing.T) *hub {
	h := &hub{Server: servertest.Start(t, server.Config{}), secrets: map[string]string{"": ""}}
	ctx := t.Context()
	for _, name := range []string{"owner", "member", "reader", "writer", "stranger"} {
		h.made(account.CreateUser(ctx, h.Log(), servertest.By, name))
		h.secrets[name] = h.Token(name, events.LevelAdmin)
	}
	h.secrets["admin"] = h.Token(servertest.Admin, events.LevelAdmin)
	id := func(name string) string { return h.Account(name).ID }
	acme := h.made(account.CreateOrganization(ctx, h.Log(), servertest.By, "acme", id("owner")))
	h.Done(account.GrantMembership(ctx, h.Log(), servertest.By, acme, acme, id("member"), events.RoleMember))
	h.made(account.CreateTeam(ctx, h.Log(), servertest.By, acme, "team", ""))
	for name, visibility := range map[string]string{"acme/private": events.Private, "acme/public": events.Public} {
		parsed, err := repository.ParseName(name)
		if err != nil {
			t.Fatal(err)
		}
		repo, err := repository.Ensure(ctx, h.Log(), servertest.By, parsed, visibility)
		if err != nil {
			t.Fatal(err)
		}
		h.CatchUp()
		if name == "acme/private" {
			for who, role := range map[string]string{"reader": events.RoleRead, "writer": events.RoleWrite} {
				h.Done(account.GiveGrant(ctx, h.Log(), servertest.By, events.GrantGiven{Namespace: acme, Repository: repo.Repository, Grantee: id(who), GranteeKind: events.GranteeUser, Role: role}))
			}
		}
		h.Client().MustPush(t, name, "1.0", registrytest.NewImage(name))
		h.Client().MustPush(t, name, "1.1", registrytest.NewImage(name))
	}
	h.CatchUp()
	return h
}

func (h *hub) request(ctx context.Context, as, path string, header ...string) *http.Response {
	h.T.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+path, nil)
	if err != nil {
		h.T.Fatal(err)
	}
	if secret := h.secrets[as]; secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for k := 0; k < len(header); k += 2 {
		r.Header.Set(header[k], header[k+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.T.Fatal(err)
	}
	h.T.Cleanup(func() { answer.Body.Close() })
	return answer
}

// get reads an answer into to, if that is not nil.
func (h *hub) get(as, path string, to any) (status int, body string) {
	h.T.Helper()
	answer := h.request(h.T.Context(), as, path)
	text, err := io.ReadAll(answer.Body)
	if err == nil && to != nil && answer.StatusCode == 200 {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		h.T.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// all are all events of a query, page by page.
func (h *hub) all(as, query string, more ...string) (list []apitypes.Event) {
	h.T.Helper()
	path := "/api/v1/events?limit=7&q=" + url.QueryEscape(query) + strings.Join(more, "")
	for pages := 0; path != ""; pages++ {
		var page apitypes.EventPage
		if status, body := h.get(as, path, &page); status != 200 || pages > 100 {
			h.T.Fatalf("%s as %q: %d %s", path, as, status, body)
		}
		list, path = append(list, page.Items...), page.Next
	}
	return list
}

func seqsOf(list []apitypes.Event) (seqs []uint64) {
	for _, e := range list {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

// texts are events as people read them.
func texts(list []apitypes.Event) (lines []string) {
	for _, e := range list {
		lines = append(lines, e.Actor+" "+e.Text)
	}
	return lines
}

// Pages have each event once, in either order, and administrators see all of them.
func TestPages(t *testing.T) {
	h := newHub(t)
	newest, oldest := seqsOf(h.all("admin", "")), seqsOf(h.all("admin", "", "&order=oldest"))
	slices.Reverse(newest)
	if !slices.Equal(newest, oldest) || uint64(len(oldest)) < h.LastSeq() {
		t.Errorf("%v\n%v\nof %d", newest, oldest, h.LastSeq())
	}
	for k, seq := range oldest {
		if seq != uint64(k+1) {
			t.Fatalf("event %d is at %d", seq, k)
		}
	}
}

// Everybody sees what they may read, and nothing tells more.
func TestWhoSeesWhat(t *testing.T) {
	h := newHub(t)
	sees := func(as, query string) string { return strings.Join(texts(h.all(as, query)), "\n") }
	for as, want := range map[string]map[string]bool{
		"":         {"acme/public": true, "acme/private": false, "the token": false, "the team": false},
		"stranger": {"acme/public": true, "acme/private": false, "of stranger": true, "of owner": false, "the team": false},
		"reader":   {"acme/public": true, "acme/private": true, "granted reader": true, "granted writer": false, "of owner": false},
		"writer":   {"acme/private": true, "granted reader": false},
		"member":   {"acme/public": true, "acme/private": false, "the organization acme": true, "the team": false, "made member": true, "made owner": false},
		"owner":    {"acme/private": true, "the team team": true, "made member": true, "granted reader": true, "of reader": false},
		"admin":    {"acme/private": true, "of reader": true, "the team": true},
	} {
		text := sees(as, "")
		for part, there := range want {
			if strings.Contains(text, part) != there {
				t.Errorf("%q: %q should be there: %t\n%s", as, part, there, text)
			}
		}
		// A filter finds nothing that the whole list does not have.
		for _, query := range []string{"actor:tester", "repo:acme/private", "namespace:acme", "type:image.", "-type:image.*", "aggregate:tag"} {
			for _, line := range texts(h.all(as, query)) {
				if !strings.Contains(text, line) {
					t.Errorf("%q, %s: %s", as, query, line)
				}
			}
		}
	}
	// What is hidden looks as what does not exist.
	for _, as := range []string{"", "stranger", "member"} {
		_, hidden := h.get(as, "/api/v1/events?q=repo:acme/private", nil)
		_, missing := h.get(as, "/api/v1/events?q=repo:acme/missing", nil)
		if strings.ReplaceAll(hidden, "private", "missing") != missing || strings.Contains(missing, `"seq"`) {
			t.Errorf("%q:\n%s\n%s", as, hidden, missing)
		}
	}
	for _, e := range h.all("admin", "repo:acme/private") {
		status, body := h.get("stranger", fmt.Sprintf("/api/v1/events/%d", e.Seq), nil)
		other, missing := h.get("stranger", "/api/v1/events/999999", nil)
		if status != 404 || other != 404 || body != missing {
			t.Errorf("event %d: %d %s\n%d %s", e.Seq, status, body, other, missing)
		}
		if status, _ := h.get("stranger", "/api/v1/events/"+e.ID, nil); status != 404 {
			t.Errorf("event %s: %d", e.ID, status)
		}
	}
}

// The log of what was deleted stays visible to those who could see it.
func TestDeletedStaysReadable(t *testing.T) {
	h := newHub(t)
	before := map[string][]uint64{}
	for _, as := range []string{"reader", "owner", "", "stranger"} {
		before[as] = seqsOf(h.all(as, "repo:acme/private repo:acme/public type:image."))
	}
	for _, name := range []string{"acme/private", "acme/public"} {
		h.Client().Must(t, "DELETE", "/api/v1/repositories/"+name, nil)
	}
	h.CatchUp()
	for as, want := range before {
		if got := seqsOf(h.all(as, "repo:acme/private repo:acme/public type:image.")); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%q sees %v, saw %v", as, got, want)
		}
		if got := h.all(as, "type:repository.deleted"); len(got) == 0 {
			t.Errorf("%q does not see what was deleted", as)
		}
	}
}

func (h *hub) withdraw(who, name string) {
	h.T.Helper()
	repo, err := h.Accounts().Repository(h.T.Context(), name)
	if err != nil {
		h.T.Fatal(err)
	}
	h.Done(account.WithdrawGrant(h.T.Context(), h.Log(), servertest.By, events.GrantWithdrawn{Namespace: repo.Namespace, Repository: repo.ID, Grantee: h.Account(who).ID, GranteeKind: events.GranteeUser}))
}
