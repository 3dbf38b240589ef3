package rules_test

import (
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/server"
)

// Secrets of builds are set, listed by name and destroyed by those with the role admin;
// their values are nowhere but among the secrets.
func TestBuildSecrets(t *testing.T) {
	w := newWorld(t, server.Config{})
	const path = "/repositories/acme/app/build-secrets"
	const planted = "planted-value"
	var list apitypes.BuildSecrets
	for _, who := range []string{"writer", "reader", "stranger"} {
		status := map[bool]int{true: 404, false: 403}[who == "stranger"]
		w.call(who, "PUT", path+"/NPM_TOKEN", object{"value": planted}, status, nil)
		w.call(who, "GET", path, nil, status, nil)
		w.call(who, "DELETE", path+"/NPM_TOKEN", nil, status, nil)
	}
	begin := w.LastSeq() + 1
	w.call("manager", "PUT", path+"/NPM_TOKEN", object{"value": planted, "forFile": true}, 200, nil)
	w.call("manager", "PUT", path+"/other.key", object{"value": planted}, 200, nil)
	w.call("owner", "GET", path, nil, 200, &list)
	if len(list.Secrets) != 2 || list.Secrets[0].Name != "NPM_TOKEN" || !list.Secrets[0].ForFile || list.Secrets[0].ChangedBy != "manager" || list.Secrets[1].ForFile {
		t.Errorf("%+v", list)
	}
	var first, second events.BuildSecretSet
	next := after(w, begin, &first)
	w.call("manager", "PUT", path+"/NPM_TOKEN", object{"value": planted}, 200, nil)
	after(w, next+1, &second)
	if first.Record == "" || second.Record == first.Record || second.Secret != "NPM_TOKEN" {
		t.Errorf("%+v, then %+v", first, second)
	}
	for what, value := range map[string]string{"/x%2Fy": planted, "/1x": planted, "/A": "", "/B": strings.Repeat("x", 65_537)} {
		w.call("manager", "PUT", path+what, object{"value": value}, 422, nil)
	}
	w.call("manager", "DELETE", path+"/NONE", nil, 404, nil)
	w.call("manager", "DELETE", path+"/NPM_TOKEN", nil, 200, nil)
	w.call("owner", "GET", path, nil, 200, &list)
	if len(list.Secrets) != 1 || list.Secrets[0].Name != "other.key" {
		t.Errorf("%+v", list)
	}
	for seq := uint64(1); seq <= w.LastSeq(); seq++ {
		if e, err := w.Log().Get(t.Context(), seq); err != nil || strings.Contains(string(e.Data), planted) {
			t.Errorf("event %d, %v: %s", seq, err, e.Data)
		}
	}
	// A rule that names a secret which is not there is warned of.
	var saved apitypes.Rules
	rule := edge("edge")
	rule["secrets"] = []string{"other.key", "NPM_TOKEN"}
	w.ask("owner", "PUT", "", rulesOf("acme/app", rule), 200, &saved)
	if len(saved.Warnings) != 1 || !strings.Contains(saved.Warnings[0].Error(), "no secret NPM_TOKEN") {
		t.Errorf("%+v", saved.Warnings)
	}
}
