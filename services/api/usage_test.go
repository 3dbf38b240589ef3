package api_test

import (
	"testing"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

// What is shared with namespaces of others is not told but to administrators.
func TestUsageTellsOfNobodyElse(t *testing.T) {
	k := world(t)
	k.user("bob")
	k.repository("bob/secret", events.Private)
	// What acme has, too: bob wants to know who else has it.
	k.Client().MustPush(t, "bob/secret", "v1", registrytest.NewImage("content"))
	k.CatchUp()
	type usage struct{ Bytes, Unique, Shared int64 }
	of := func(as, path string) (u usage) {
		t.Helper()
		k.do(as, "GET", path, nil).want(200).into(&u)
		return u
	}
	for _, path := range []string{"/api/v1/repositories/bob/secret/usage", "/api/v1/namespaces/bob/usage"} {
		if u := of("bob", path); u.Shared != 0 || u.Unique != u.Bytes || u.Bytes == 0 {
			t.Errorf("bob at %s: %+v", path, u)
		}
		if u := of("hubadmin", path); u.Shared == 0 {
			t.Errorf("an administrator at %s: %+v", path, u)
		}
	}
	if u := of("owner", "/api/v1/repositories/acme/public/usage"); u.Shared == 0 {
		t.Errorf("within a namespace: %+v", u)
	}
	type preview struct{ Then struct{ Blobs int } }
	look := func(as string) (p preview) {
		t.Helper()
		k.do(as, "POST", "/api/v1/repositories/bob/secret/cleanup/preview", object{"notPulledDays": 0, "keepLast": 0, "untaggedDays": 1}).want(200).into(&p)
		return p
	}
	k.do("bob", "DELETE", "/api/v1/repositories/bob/secret/tags/v1", nil).want(200)
	if mine, all := look("bob"), look("hubadmin"); mine.Then.Blobs <= all.Then.Blobs {
		t.Errorf("freed for bob %+v, for an administrator %+v", mine, all)
	}
}
