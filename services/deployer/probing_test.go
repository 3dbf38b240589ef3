package deployer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"hubledger/services/internal/apitypes"
)

// verdict waits for a verdict of a gate.
func (w *world) verdict(id, gate, want string) (d apitypes.Deployment) {
	w.T.Helper()
	eventually(w.T.(*testing.T), func() bool {
		w.call("member", "GET", shopPath+"/deployments/"+id, nil, 200, &d)
		k := slices.IndexFunc(d.Gates, func(g apitypes.DeploymentGate) bool { return g.Name == gate })
		return k >= 0 && d.Gates[k].Verdict == want
	})
	return d
}

// A gate that fails by HTTP leads back by itself where the policy says so; one that passes lets
// the hub promote.
func TestHTTPGate(t *testing.T) {
	w, _, _ := deployable(t)
	var status atomic.Int32
	status.Store(500)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example.com" || r.URL.Path != "/blue/18080" && r.URL.Path != "/green/18081" {
			rw.WriteHeader(404)
			return
		}
		if r.URL.Path == "/blue/18080" { // the colour of before is well
			return
		}
		rw.WriteHeader(int(status.Load()))
	}))
	defer shop.Close()
	w.await(w.deploy(1, nil).ID, "ended")
	w.call("owner", "PUT", prodPath+"/policy", object{"rollBack": true, "automatic": 1, "gates": []object{{"name": "shop", "kind": "http", "url": shop.URL + "/{colour}/{port}", "host": "shop.example.com", "passes": 1, "every": 1}}}, 200, nil)
	n := w.release("web 2")
	d := w.await(w.deploy(n, nil).ID, "ended")
	if d.Outcome != "rolled_back" || d.Gates[0].Verdict != "fail" || !strings.HasPrefix(d.Gates[0].Reason, "green: ") || !strings.HasSuffix(d.Gates[0].Reason, " answers 500; blue: 1 of 1 hosts answer") {
		t.Errorf("%+v", d)
	}
	status.Store(301)
	if d := w.await(w.deploy(n, nil).ID, "ended"); d.Outcome != "rolled_back" {
		t.Errorf("a redirect is healthy: %+v", d)
	}
	status.Store(204)
	d = w.await(w.deploy(n, nil).ID, "ended")
	if d.Outcome != "promoted" || d.Gates[0].Verdict != "pass" {
		t.Errorf("%+v", d)
	}
}

// Prometheus without data, or away, is inconclusive; more errors in the new colour than in the
// other one is a failure, and an override by a person ends the measuring.
func TestPrometheusGate(t *testing.T) {
	w, _, _ := deployable(t)
	var answer atomic.Value
	answer.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, query := answer.Load().(string), r.URL.Query().Get("query")
		if r.URL.Path != "/api/v1/query" || text == "" {
			rw.WriteHeader(503)
			return
		}
		colour := map[bool]string{true: "1.5", false: "1"}[query == `errors{colour="green"}`]
		fmt.Fprint(rw, strings.ReplaceAll(text, "N", colour))
	}))
	defer server.Close()
	w.await(w.deploy(1, nil).ID, "ended")
	w.call("owner", "PUT", prodPath+"/policy", object{"gates": []object{{"name": "errors", "kind": "prometheus", "url": server.URL, "query": `errors{colour="{colour}"}`, "factor": 2, "passes": 1, "every": 1}}}, 200, nil)
	d := w.await(w.deploy(w.release("web 2"), nil).ID, "held")
	w.verdict(d.ID, "errors", "inconclusive")
	answer.Store(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"N"]}]}}`)
	found := w.verdict(d.ID, "errors", "pass").Gates[0]
	if m := found.Measured; len(m) != 2 || m[0].Colour != "green" || *m[0].Value != 1.5 || m[1].Colour != "blue" || *m[1].Value != 1 || found.MeasuredAt == nil || found.Reason != "green has 1.5, and blue 1" {
		t.Errorf("%+v", found)
	}
	answer.Store(`{"status":"success","data":{"resultType":"vector","result":[]}}`)
	w.verdict(d.ID, "errors", "inconclusive")
	answer.Store(`{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`)
	w.action("pusher", d.ID, "promote", nil, 409)
	w.action("pusher", d.ID, "gates/errors", object{"verdict": "fail", "reason": "I saw it"}, 201)
	if d = w.verdict(d.ID, "errors", "fail"); d.Step != "held" || !d.Gates[0].Manual || d.Gates[0].Measured != nil {
		t.Errorf("%+v", d)
	}
	w.action("pusher", d.ID, "rollback", nil, 201)
	w.await(d.ID, "ended")

	answer.Store(`{"status":"success","data":{"resultType":"scalar","result":[1,"N"]}}`)
	w.call("owner", "PUT", prodPath+"/policy", object{"gates": []object{{"name": "errors", "kind": "prometheus", "url": server.URL, "query": `errors{colour="{colour}"}`, "most": 1.2, "passes": 1, "every": 1}}}, 200, nil)
	d = w.await(w.deploy(2, nil).ID, "held")
	if d = w.verdict(d.ID, "errors", "fail"); d.Gates[0].Reason != "green has 1.5, more than 1.2; blue has 1" {
		t.Errorf("%+v", d.Gates)
	}
}
