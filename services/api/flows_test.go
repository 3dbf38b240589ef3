package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/registrytest"
)

// A user is made, changes what is theirs, and is erased.
func TestLifeOfAUser(t *testing.T) {
	k := start(t)
	var made struct {
		Name, Password string
		Seq            uint64
		Admin          bool
	}
	a := k.do("operator", "POST", "/api/v1/users", object{"name": "root", "admin": true}).want(201)
	a.into(&made)
	if made.Password == "" || made.Seq != k.LastSeq() || a.Header().Get("Hubledger-Sequence") == "" || !made.Admin {
		t.Errorf("made %s", a.Body)
	}
	k.token("root", "root", events.LevelAdmin)
	k.do("root", "POST", "/api/v1/users", object{"name": "alice", "password": "correct horse", "email": "alice@example.org"}).want(201)
	before := k.LastSeq()
	for _, bad := range []object{{"name": "alice", "password": "correct horse"}, {"name": "Alice", "password": "correct horse"}, {"name": "bob", "password": "short"},
		{"name": "bob", "password": "correct horse", "email": "no address"}, {"name": "library", "password": "correct horse"}, {"name": "bob", "unknown": 1}, {}} {
		if a := k.do("root", "POST", "/api/v1/users", bad); a.Code < 400 || a.Code >= 500 || a.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %d %s", bad, a.Code, a.Body)
		}
	}
	if after := k.LastSeq(); after != before {
		t.Errorf("what was refused left %d events", after-before)
	}
	k.token("alice", "alice", events.LevelAdmin)
	var email struct{ Email string }
	k.do("root", "GET", "/api/v1/users/alice/email", nil).want(200).into(&email)
	if email.Email != "alice@example.org" {
		t.Errorf("e-mail %q", email.Email)
	}
	if a := k.do("alice", "PUT", "/api/v1/users/alice/email", object{"email": "alice@nowhere"}).want(422); !strings.Contains(a.Body.String(), "body.email") {
		t.Errorf("a bad e-mail: %s", a.Body)
	}
	k.do("alice", "DELETE", "/api/v1/users/alice/email", nil).want(200)
	k.do("alice", "GET", "/api/v1/users/alice/email", nil).want(200).into(&email)
	if email.Email != "" {
		t.Errorf("e-mail after its removal %q", email.Email)
	}
	// The password: the old one is asked of its user, not of an administrator.
	k.do("alice", "PUT", "/api/v1/users/alice/password", object{"new": "battery staple"}).want(403)
	k.do("alice", "PUT", "/api/v1/users/alice/password", object{"old": "correct horse", "new": "battery staple"}).want(200)
	k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "battery staple"}).want(200)
	k.do("root", "PUT", "/api/v1/users/alice/password", object{"new": "reset by root"}).want(200)
	// Disabled, her token is refused; enabled, it is good again.
	k.do("root", "PATCH", "/api/v1/users/alice", object{"disabled": true}).want(200)
	k.do("alice", "GET", "/api/v1/user", nil).want(401)
	k.do("root", "PATCH", "/api/v1/users/alice", object{"disabled": false}).want(200)
	k.do("alice", "GET", "/api/v1/user", nil).want(200)
	// Every administrator but the last one may stop being one.
	k.do("root", "PATCH", "/api/v1/users/admin", object{"admin": false}).want(200)
	k.do("root", "PATCH", "/api/v1/users/root", object{"admin": false}).want(409)
	// Erased for good, with the name kept.
	k.do("alice", "POST", "/api/v1/users/alice/erasure", object{"confirm": "alicia", "password": "reset by root"}).want(422)
	k.do("alice", "POST", "/api/v1/users/alice/erasure", object{"confirm": "alice", "password": "wrong"}).want(403, 429)
	k.do("root", "POST", "/api/v1/users/alice/erasure", object{"confirm": "alice"}).want(200)
	k.do("alice", "GET", "/api/v1/user", nil).want(401)
	k.do("root", "POST", "/api/v1/users", object{"name": "alice"}).want(409)
	for _, secret := range []string{made.Password, "correct horse", "battery staple", "alice@example.org"} {
		if found := k.filesWith(secret); found != nil {
			t.Errorf("%q is in %v", secret, found)
		}
	}
}

// An answer to bad input does not repeat it: it may be a password.
func TestErrorsDoNotEcho(t *testing.T) {
	k := start(t)
	k.user("alice")
	const secret = "hunter2hunter2"
	for _, body := range []any{`{"old": "` + secret + `", "new": 5}`, object{"old": secret, "new": ""}, `{"old": "` + secret, object{"password": secret}, object{"new": secret, "extra": secret}} {
		a := k.do("alice", "PUT", "/api/v1/users/alice/password", body)
		if a.Code < 400 || strings.Contains(a.Body.String(), secret) {
			t.Errorf("%v: %d %s", body, a.Code, a.Body)
		}
	}
}

func TestOrganization(t *testing.T) {
	k := start(t)
	var shown apitypes.Organization
	for _, name := range []string{"olga", "mia", "sam"} {
		k.user(name)
	}
	k.do("olga", "POST", "/api/v1/orgs", object{"name": "acme"}).want(201)
	k.do("mia", "POST", "/api/v1/orgs", object{"name": "acme"}).want(409)
	k.do("mia", "POST", "/api/v1/orgs", object{"name": "other", "owner": "olga"}).want(403)
	k.do("olga", "PUT", "/api/v1/orgs/acme/members/mia", object{"role": "member"}).want(200)
	k.do("olga", "PUT", "/api/v1/orgs/acme/members/nobody", object{"role": "member"}).want(422)
	k.do("olga", "POST", "/api/v1/orgs/acme/teams", object{"name": "devs", "description": "who push"}).want(201)
	k.do("olga", "PUT", "/api/v1/orgs/acme/teams/devs/members/sam", nil).want(422)
	k.do("olga", "PUT", "/api/v1/orgs/acme/teams/devs/members/mia", nil).want(200)
	k.do("olga", "POST", "/api/v1/repositories", object{"name": "acme/app"}).want(201)
	k.do("mia", "GET", "/api/v1/repositories/acme/app", nil).want(404)
	k.do("olga", "PUT", "/api/v1/repositories/acme/app/grants/team/devs", object{"role": "write"}).want(200)
	k.do("mia", "GET", "/api/v1/repositories/acme/app", nil).want(200)
	k.do("olga", "PUT", "/api/v1/repositories/acme/app/grants/team/nobody", object{"role": "write"}).want(422)
	k.do("olga", "PUT", "/api/v1/namespaces/acme/grants/user/sam", object{"role": "write"}).want(200)
	k.do("sam", "POST", "/api/v1/repositories", object{"name": "acme/other"}).want(201)
	var list struct{ Items []object }
	k.do("olga", "GET", "/api/v1/repositories/acme/app/grants", nil).want(200).into(&list)
	if len(list.Items) != 1 || list.Items[0]["name"] != "devs" {
		t.Errorf("grants %v", list.Items)
	}
	k.do("olga", "DELETE", "/api/v1/orgs/acme/members/mia", nil).want(200)
	k.do("mia", "GET", "/api/v1/repositories/acme/app", nil).want(404)
	// A robot account and its token, until that is revoked.
	k.do("olga", "POST", "/api/v1/orgs/acme/robots", object{"name": "ci"}).want(201)
	var token struct{ ID, Token, Name string }
	expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	k.do("olga", "POST", "/api/v1/orgs/acme/robots/ci/tokens", object{"name": "build", "level": "write", "repositories": []string{"acme/app"}, "expires": expires}).want(201).into(&token)
	k.tokens["acme+ci"] = token.Token
	k.do("acme+ci", "GET", "/api/v1/repositories/acme/app", nil).want(404)
	k.do("olga", "PUT", "/api/v1/repositories/acme/app/grants/robot/ci", object{"role": "write"}).want(200)
	k.do("acme+ci", "GET", "/api/v1/repositories/acme/app", nil).want(200)
	k.do("acme+ci", "PUT", "/api/v1/repositories/acme/app/star", nil).want(403)
	k.do("olga", "DELETE", "/api/v1/orgs/acme/robots/ci/tokens/"+token.ID, nil).want(200)
	k.do("acme+ci", "GET", "/api/v1/repositories/acme/app", nil).want(401)
	k.do("olga", "DELETE", "/api/v1/users/olga/tokens/"+token.ID, nil).want(404)
	// An owner is erased whatever they own, but for the hub's last administrator.
	k.do("operator", "PATCH", "/api/v1/users/olga", object{"admin": true}).want(200)
	k.do("operator", "PATCH", "/api/v1/users/admin", object{"admin": false}).want(200)
	k.do("operator", "POST", "/api/v1/users/olga/erasure", object{"confirm": "olga"}).want(409)
	k.do("operator", "PATCH", "/api/v1/users/admin", object{"admin": true}).want(200)
	k.do("operator", "POST", "/api/v1/users/olga/erasure", object{"confirm": "olga"}).want(200)
	k.do("operator", "GET", "/api/v1/orgs/acme", nil).want(200).into(&shown)
	if !shown.Ownerless {
		t.Errorf("after its owner was erased: %+v", shown)
	}
	k.do("operator", "PUT", "/api/v1/orgs/acme/members/sam", object{"role": "owner"}).want(200)
	k.do("operator", "POST", "/api/v1/repositories", object{"name": "nowhere/app"}).want(404)
}

func TestRepository(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.user("bob")
	const repo = "/api/v1/repositories/alice/app"
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/app", "visibility": "public"}).want(201)
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/app"}).want(409)
	k.do("bob", "POST", "/api/v1/repositories", object{"name": "alice/other"}).want(403)
	k.do("bob", "POST", "/api/v1/repositories", object{"name": "busybox"}).want(403)
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/UPPER"}).want(422)
	k.do("alice", "PATCH", repo, object{"description": "An app", "readme": "# App <script>alert(1)</script>", "topics": []string{"web", "go"}}).want(200)
	k.do("alice", "PATCH", repo, object{"topics": []string{"Not A Topic"}}).want(422)
	k.do("alice", "PATCH", repo, object{}).want(422)
	k.do("bob", "PUT", repo+"/star", nil).want(200)
	before := k.LastSeq()
	k.do("bob", "PUT", repo+"/star", nil).want(200)
	if k.LastSeq() != before {
		t.Error("a second star is an event")
	}
	var page struct {
		Description, Readme, Level, Visibility string
		Topics                                 []string
		Stars                                  int
		Starred                                bool
	}
	k.do("bob", "GET", repo, nil).want(200).into(&page)
	if page.Description != "An app" || len(page.Topics) != 2 || page.Stars != 1 || !page.Starred || page.Level != "read" || !strings.HasPrefix(page.Readme, "# App") {
		t.Errorf("%+v", page)
	}
	var readme struct{ HTML string }
	k.do("", "GET", repo+"/readme", nil).want(200).into(&readme)
	if !strings.Contains(readme.HTML, `<h1 id="user-content-app-alert1">App`) || strings.Contains(readme.HTML, "script") {
		t.Errorf("README %q", readme.HTML)
	}
	k.do("bob", "DELETE", repo+"/star", nil).want(200)
	k.do("alice", "PATCH", repo, object{"visibility": "private"}).want(200)
	k.do("bob", "GET", repo, nil).want(404)
	var activity struct {
		Items []struct{ Kind, Actor string }
		Next  string
	}
	k.do("alice", "GET", repo+"/activity?limit=2", nil).want(200).into(&activity)
	if len(activity.Items) != 2 || activity.Items[0].Kind != "repository.visibility_changed" || activity.Items[0].Actor != "alice" || activity.Next == "" {
		t.Errorf("activity %+v", activity)
	}
	seen := activity.Items[1].Kind
	k.do("alice", "GET", activity.Next, nil).want(200).into(&activity)
	if len(activity.Items) == 0 || activity.Items[0].Kind == seen && seen == "repository.visibility_changed" {
		t.Errorf("the next page of activity %+v", activity)
	}
	// A request that loses a race against a deletion learns that the repository is gone.
	if _, err := k.Registry().DeleteRepository(t.Context(), tester, "alice/gone"); !errors.Is(err, repository.ErrUnknown) {
		t.Errorf("a repository that is not there: %v", err)
	}
	// Deleted, listed, and back.
	k.do("alice", "DELETE", repo, nil).want(200)
	k.do("alice", "GET", repo, nil).want(404)
	var deleted struct{ Items []struct{ ID, Name string } }
	k.do("alice", "GET", "/api/v1/namespaces/alice/deleted", nil).want(200).into(&deleted)
	if len(deleted.Items) != 1 || deleted.Items[0].Name != "alice/app" {
		t.Fatalf("deleted %+v", deleted)
	}
	k.do("alice", "GET", "/api/v1/deleted", nil).want(403)
	k.do("bob", "POST", "/api/v1/repositories", object{"name": "bob/app"}).want(201)
	k.do("bob", "DELETE", "/api/v1/repositories/bob/app", nil).want(200)
	var all struct {
		Items []struct{ Name string }
		Next  string
	}
	k.do("operator", "GET", "/api/v1/deleted?limit=1", nil).want(200).into(&all)
	if len(all.Items) != 1 || all.Items[0].Name != "bob/app" || all.Next == "" {
		t.Fatalf("all that is deleted %+v", all)
	}
	next := all.Next
	all.Next = ""
	k.do("operator", "GET", next, nil).want(200).into(&all)
	if len(all.Items) != 1 || all.Items[0].Name != "alice/app" || all.Next != "" {
		t.Errorf("the rest of it %+v", all)
	}
	k.do("operator", "GET", "/api/v1/deleted?cursor=MWFsaWNlL2FwcA", nil).want(422)
	k.do("bob", "POST", "/api/v1/namespaces/bob/deleted/"+deleted.Items[0].ID+"/restore", nil).want(404)
	k.do("alice", "POST", "/api/v1/namespaces/alice/deleted/"+deleted.Items[0].ID+"/restore", nil).want(200)
	k.do("alice", "GET", repo, nil).want(200)
	k.do("alice", "POST", "/api/v1/namespaces/alice/deleted/"+deleted.Items[0].ID+"/restore", nil).want(409)
}

// An attestation is not a platform. Docker Hub lists it as one, so that its
// endpoints do, too.
func TestAttestations(t *testing.T) {
	k := start(t)
	client := k.Client()
	image, sbom := registrytest.NewImage("image"), registrytest.NewImage("sbom")
	client.MustPush(t, "admin/app", "", image)
	client.MustPush(t, "admin/app", "", sbom)
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{image.Descriptor(), sbom.Descriptor()}}
	index.Manifests[0].Platform = &v1.Platform{OS: "linux", Architecture: "arm64"}
	index.Manifests[1].Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
	index.Manifests[1].Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest().String()}
	client.MustPush(t, "admin/app", "1", &registrytest.Image{MediaType: index.MediaType, Manifest: registrytest.JSON(index)})
	for path, want := range map[string]string{
		"/api/v1/repositories/admin/app/tags/1":         "linux/arm64",
		"/v2/namespaces/admin/repositories/app/tags/1/": "linux/arm64 unknown/unknown",
	} {
		var tag struct {
			Images []struct{ OS, Architecture string }
		}
		k.do("operator", "GET", path, nil).want(200).into(&tag)
		var got []string
		for _, i := range tag.Images {
			got = append(got, i.OS+"/"+i.Architecture)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s lists %v, want %s", path, got, want)
		}
	}
}

// An image that is in many large indexes does not have them all read: those that are
// read say what is about it.
func TestLargeIndexesAbove(t *testing.T) {
	k := start(t)
	client := k.Client()
	image := registrytest.NewImage("image")
	client.MustPush(t, "admin/app", "", image)
	for n := range 8 {
		sbom := client.MustPush(t, "admin/app", "", registrytest.NewImage(fmt.Sprint("sbom ", n)))
		index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{image.Descriptor(), sbom.Descriptor()}}
		index.Manifests[1].Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
		index.Manifests[1].Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest().String()}
		index.Annotations = map[string]string{"long": strings.Repeat(string(rune('a'+n)), 1<<20)}
		client.MustPush(t, "admin/app", "", &registrytest.Image{MediaType: index.MediaType, Manifest: registrytest.JSON(index)})
	}
	var shown apitypes.Manifest
	k.do("operator", "GET", "/api/v1/repositories/admin/app/manifests/"+image.Digest().String(), nil).want(200).into(&shown)
	if len(shown.Above) != 8 || len(shown.Referrers) != 4 {
		t.Errorf("it is in %d indexes, of which %d were read", len(shown.Above), len(shown.Referrers))
	}
}

func TestTagsAndRules(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/team/app", "visibility": "public"}).want(201)
	const repo = "/api/v1/repositories/alice/team/app"
	client := k.Client()
	one, two := registrytest.NewImage("one"), registrytest.NewImage("two, longer")
	client.MustPush(t, "alice/team/app", "1.0", one)
	client.MustPush(t, "alice/team/app", "2.0", two)
	client.MustPush(t, "alice/team/app", "latest", registrytest.NewIndex(one, two))
	var tags struct {
		Items []struct {
			Name, Digest, By string
			Size             int64
			Images           []struct{ OS, Architecture, Digest string }
		}
		Next string
	}
	a := k.do("", "GET", repo+"/tags?limit=2", nil).want(200)
	a.into(&tags)
	if len(tags.Items) != 2 || tags.Items[0].Name != "1.0" || tags.Items[0].Digest != one.Digest().String() || tags.Items[0].Size == 0 ||
		len(tags.Items[0].Images) != 1 || tags.Items[0].Images[0].Architecture != "amd64" || tags.Next == "" || !strings.Contains(a.Header().Get("Link"), tags.Next) {
		t.Errorf("tags %+v, Link %q", tags, a.Header().Get("Link"))
	}
	tags.Next = "" + tags.Next
	next := tags.Next
	tags.Next = ""
	k.do("", "GET", next, nil).want(200).into(&tags)
	if len(tags.Items) != 1 || tags.Items[0].Name != "latest" || len(tags.Items[0].Images) != 2 || tags.Next != "" {
		t.Errorf("the next page %+v", tags)
	}
	k.do("", "GET", repo+"/tags/1.0", nil).want(200)
	k.do("", "GET", repo+"/tags/9.0", nil).want(404)
	k.do("alice", "PUT", repo+"/policy", object{"immutableTags": []string{`2\..*`}, "sparseIndexes": false}).want(200)
	k.do("alice", "PUT", repo+"/policy", object{"immutableTags": []string{`(`}, "sparseIndexes": false}).want(422)
	k.do("alice", "DELETE", repo+"/tags/2.0", nil).want(409)
	k.do("alice", "DELETE", repo+"/tags/1.0", nil).want(200)
	k.do("alice", "DELETE", repo+"/tags/1.0", nil).want(404)
	k.do("alice", "POST", repo+"/tags/1.0/restore", nil).want(200)
	k.do("alice", "GET", repo+"/tags/1.0", nil).want(200)
	k.do("alice", "POST", repo+"/tags/1.0/restore", nil).want(409)
	// A tag cannot be restored before its manifest is.
	k.do("alice", "DELETE", repo+"/tags/1.0", nil).want(200)
	client.Must(t, "DELETE", "/v2/alice/team/app/manifests/"+one.Digest().String(), nil).Want(t, 202)
	k.CatchUp()
	if a := k.do("alice", "POST", repo+"/tags/1.0/restore", nil).want(409); !strings.Contains(a.Body.String(), one.Digest().String()) {
		t.Errorf("%s", a.Body)
	}
	k.do("alice", "POST", repo+"/manifests/"+one.Digest().String()+"/restore", nil).want(200)
	k.do("alice", "POST", repo+"/manifests/nonsense/restore", nil).want(422)
	k.do("alice", "POST", repo+"/tags/1.0/restore", nil).want(200)
	// A rule that is tried, set and run; the policy beside it stays.
	var preview struct{ Tags []struct{ Name string } }
	k.do("alice", "POST", repo+"/cleanup/preview", object{"keepLast": 1}).want(200).into(&preview)
	if len(preview.Tags) != 1 || preview.Tags[0].Name != "1.0" { // latest was pushed last, whatever was restored since; 2.0 is immutable
		t.Errorf("preview %+v", preview)
	}
	k.do("alice", "PUT", repo+"/cleanup", object{"keepLast": 1}).want(200)
	var policy struct{ ImmutableTags []string }
	k.do("alice", "GET", repo+"/policy", nil).want(200).into(&policy)
	if len(policy.ImmutableTags) != 1 {
		t.Errorf("the policy is %+v after the rule", policy)
	}
	var run struct{ Tags int }
	k.do("alice", "POST", repo+"/cleanup/run", nil).want(200).into(&run)
	if run.Tags != 1 {
		t.Errorf("%d tags went", run.Tags)
	}
	var ran struct {
		Items []struct{ Actor, Kind string }
	}
	k.do("alice", "GET", repo+"/activity?limit=1", nil).want(200).into(&ran)
	if len(ran.Items) != 1 || ran.Items[0].Kind != "tag.deleted" || ran.Items[0].Actor != "alice" {
		t.Errorf("who ran it did it, and not %+v", ran.Items)
	}
	var usage struct {
		Tags, Manifests, Bytes, Unique, Shared int64
		Everywhere                             bool
	}
	k.do("operator", "GET", repo+"/usage", nil).want(200).into(&usage)
	if !usage.Everywhere {
		t.Errorf("usage for the operator %+v", usage)
	}
	k.do("alice", "GET", repo+"/usage", nil).want(200).into(&usage)
	if usage.Everywhere || usage.Tags != 2 || usage.Manifests != 3 || usage.Bytes == 0 || usage.Unique != usage.Bytes {
		t.Errorf("usage %+v", usage)
	}
	k.do("operator", "PUT", "/api/v1/namespaces/alice/quota", object{"bytes": 1000, "images": 5}).want(200)
	var quota struct{ Bytes, Images, UsedBytes, PendingBytes, UsedImages int64 }
	k.do("alice", "GET", "/api/v1/namespaces/alice/quota", nil).want(200).into(&quota)
	if quota.Bytes != 1000 || quota.Images != 5 || quota.UsedImages != usage.Manifests || quota.UsedBytes != usage.Bytes+quota.PendingBytes {
		t.Errorf("quota %+v", quota)
	}
}
