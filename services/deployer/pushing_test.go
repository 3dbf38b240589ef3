package deployer_test

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
)

// A push is deployed where the policy says so, with the push as its cause; what somebody went
// back from is not brought again.
func TestDeployOnPush(t *testing.T) {
	w, _, _ := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	latest := func() (d apitypes.Deployment) {
		var l apitypes.List[apitypes.Deployment]
		w.call("member", "GET", shopPath+"/deployments?limit=1", nil, 200, &l)
		return l.Items[0]
	}
	w.push("acme/web", "1", "before the policy")
	w.call("owner", "PUT", prodPath+"/policy", object{"two": true, "onPush": []object{{"repository": "acme/web", "tag": "1*"}}}, 200, nil)
	second := registrytest.NewImage("web 2")
	client := w.Client()
	client.User, client.Password = "owner", w.tokens["owner"]
	client.MustPush(t, "acme/web", "1", second)
	pushed := second.Digest()
	eventually(t, func() bool { return latest().Release == 2 })
	d := w.await(latest().ID, "held")
	if d.By != "owner" || d.Note != "pushed" {
		t.Errorf("%+v", d)
	}
	w.action("owner", d.ID, "promote", nil, 403) // it takes two
	var r apitypes.Release
	w.call("member", "GET", shopPath+"/releases/2", nil, 200, &r)
	if r.Images[2].Digest != pushed.String() || r.Images[2].Tag != "1" {
		t.Errorf("%+v", r)
	}
	var why string
	w.call("owner", "GET", fmt.Sprint("/why?of=", d.History[0].Seq), nil, 200, &why)
	if !strings.Contains(why, "image.pushed.v1") {
		t.Errorf("no push is the cause: %s", why)
	}
	w.action("pusher", d.ID, "rollback", nil, 201)
	w.await(d.ID, "ended")
	// What somebody went back from is not deployed again: the next deployment is of the next push.
	w.push("acme/web", "1", "web 3")
	eventually(t, func() bool { return latest().Release == 3 })
	var l apitypes.List[apitypes.Deployment]
	w.call("member", "GET", shopPath+"/deployments", nil, 200, &l)
	if len(l.Items) != 3 {
		t.Errorf("%+v", l.Items)
	}
}
