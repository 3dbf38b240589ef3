package api_test

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
)

// why is what an access is and why, as one line.
func why(a apitypes.Access) string {
	var reasons []string
	for _, r := range a.Reasons {
		text := r.Why
		if r.Role != "" {
			text += " " + r.Role
		}
		if r.Wide {
			text += " on all"
		}
		if r.Team != "" {
			text += " by " + r.Team
		}
		if r.Given != nil {
			text += " from " + r.By
			if r.Seq == 0 || r.Since.IsZero() {
				text += ", never"
			}
		}
		reasons = append(reasons, text)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", a.Name, a.Level, strings.Join(reasons, "; "), a.Blocked))
}

// What accounts may do with a repository is listed with the reasons, and is what they may
// do there.
func TestAccess(t *testing.T) {
	k := world(t)
	const repo = "/api/v1/repositories/acme/private"
	k.do("owner", "PUT", "/api/v1/orgs/acme/teams/team/members/member", nil).want(200)
	k.do("owner", "PUT", "/api/v1/namespaces/acme/grants/team/team", object{"role": "read"}).want(200)
	k.do("owner", "PUT", repo+"/grants/user/member", object{"role": "write"}).want(200)
	var list struct {
		Items []apitypes.Access
		Next  string
	}
	k.do("owner", "GET", repo+"/access", nil).want(200).into(&list)
	want := []string{
		"acme+ci delete: grant write from tester", "manager admin: grant admin from tester",
		"member delete: grant write from owner; grant read on all by team from owner", "owner admin: owner from tester",
		"reader read: grant read from tester", "writer delete: grant write from tester",
	}
	levels := map[string]int{"": 0, "read": 1, "write": 2, "delete": 3, "admin": 4}
	var got []string
	for _, a := range list.Items {
		got = append(got, why(a))
		probes := []struct{ method, path string }{1: {"GET", repo}, 2: {"GET", repo + "/usage"}, 3: {"DELETE", repo + "/tags/none"}, 4: {"GET", repo + "/grants"}}
		for level := 1; level < len(probes); level++ {
			code := k.do(a.Name, probes[level].method, probes[level].path, nil).Code
			if refused := code == 403 || code == 404 && level != 3; refused != (levels[a.Level] < level) {
				t.Errorf("%s is said to have %q: %s %s is %d", a.Name, a.Level, probes[level].method, probes[level].path, code)
			}
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// In pages it is the same list.
	var paged []string
	for next := repo + "/access?limit=4"; next != ""; {
		list.Items, list.Next = nil, ""
		k.do("owner", "GET", next, nil).want(200).into(&list)
		for _, a := range list.Items {
			paged = append(paged, why(a))
		}
		next = list.Next
	}
	if strings.Join(paged, "\n") != strings.Join(want, "\n") {
		t.Errorf("in pages: %s", strings.Join(paged, "\n"))
	}
	// One account, also one that has no part in it.
	show := func(name string) string {
		var a apitypes.Access
		k.do("owner", "GET", "/api/v1/repositories/acme/public/access/"+name, nil).want(200).into(&a)
		return why(a)
	}
	for name, want := range map[string]string{
		"stranger": "stranger read: public",
		"hubadmin": "hubadmin admin: administrator; public",
		"owner":    "owner admin: owner from tester; public",
	} {
		if got := show(name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	k.Done(account.SetStanding(t.Context(), k.Log(), tester, k.Accounts(), k.Account("stranger").ID, false, true))
	if got := show("stranger"); got != "stranger :  disabled" {
		t.Errorf("a disabled user: %s", got)
	}
	k.do("owner", "GET", repo+"/access/nobody", nil).want(404)
	k.do("owner", "GET", repo+"/access/acme", nil).want(404)
}

// A role that gives nothing is refused at the field.
func TestUselessGrant(t *testing.T) {
	k := world(t)
	a := k.do("owner", "PUT", "/api/v1/repositories/acme/private/grants/user/owner", object{"role": "read"}).want(422)
	if !strings.Contains(a.Body.String(), "owner owns acme and may do everything there") || !strings.Contains(a.Body.String(), `"body.role"`) {
		t.Errorf("%s", a.Body)
	}
}

// A setting that is not allowed is named, and a README can be looked at before it is saved.
func TestSettingsAreNamed(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.repository("alice/app", events.Public)
	const repo = "/api/v1/repositories/alice/app"
	for field, ask := range map[string]func() answer{
		"body.topics":      func() answer { return k.do("alice", "PATCH", repo, object{"topics": []string{"Not A Topic"}}) },
		"body.description": func() answer { return k.do("alice", "PATCH", repo, object{"description": "a\nb"}) },
		"body.readme":      func() answer { return k.do("alice", "PATCH", repo, object{"readme": strings.Repeat("ü", 60_000)}) },
		"body.immutableTags[0]": func() answer {
			return k.do("alice", "PUT", repo+"/policy", object{"immutableTags": []string{""}, "sparseIndexes": false})
		},
		"body.keepTags": func() answer {
			return k.do("alice", "PUT", repo+"/cleanup", object{"keepLast": 1, "keepTags": []string{"("}, "notPulledDays": 0, "untaggedDays": 0})
		},
	} {
		if a := ask().want(422); !strings.Contains(a.Body.String(), strings.TrimSuffix(field, "[0]")) {
			t.Errorf("%s: %s", field, a.Body)
		}
	}
	before := k.LastSeq()
	var shown struct{ HTML string }
	k.do("alice", "POST", repo+"/readme/preview", object{"readme": "# Hello <script>alert(1)</script>"}).want(200).into(&shown)
	if !strings.Contains(shown.HTML, "<h1") || strings.Contains(shown.HTML, "<script") || k.LastSeq() != before {
		t.Errorf("%s", shown.HTML)
	}
	var hub apitypes.Hub
	k.do("alice", "GET", "/api/v1/hub", nil).want(200).into(&hub)
	if hub.DefaultVisibility != events.Private || hub.UndeleteSeconds != 3600 {
		t.Errorf("%+v", hub)
	}
}
