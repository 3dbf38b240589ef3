package deployer_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/hosting"
)

// report sends to the URL of a gate, as a tracker does.
func (w *world) report(address, body string, status int, headers ...string) string {
	w.T.Helper()
	u, err := url.Parse(address)
	if err != nil {
		w.T.Fatal(err)
	}
	r := httptest.NewRequest("POST", u.Path, strings.NewReader(body))
	for k := 0; k < len(headers); k += 2 {
		r.Header.Set(headers[k], headers[k+1])
	}
	a := httptest.NewRecorder()
	w.Handler.ServeHTTP(a, r)
	if a.Code != status {
		w.T.Fatalf("%s: %d, want %d: %s", body, a.Code, status, a.Body)
	}
	return a.Body.String()
}

func (w *world) hook(gate string, body object) (h apitypes.GateHook) {
	w.T.Helper()
	w.call("owner", "PUT", prodPath+"/gates/"+gate+"/hook", body, 200, &h)
	return h
}

// An error tracker tells of issues: those that the new colour alone has let the gate fail, and
// that none are told passes only with time and traffic.
func TestWebhookGate(t *testing.T) {
	w, web1, _ := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	gate := object{"name": "bugs", "kind": "webhook", "format": "alertmanager", "seconds": 1, "requests": 10, "most": 1, "every": 1}
	w.call("owner", "PUT", prodPath+"/gates/bugs/hook", object{}, 422, nil)
	w.call("owner", "PUT", prodPath+"/policy", object{"gates": []object{gate}}, 200, nil)
	w.call("pusher", "PUT", prodPath+"/gates/bugs/hook", object{}, 403, nil)
	u := w.hook("bugs", object{}).URL
	n := w.release("web 2")
	alert := func(colour, release, issue, status string) string {
		return fmt.Sprintf(`{"version":"4","alerts":[{"status":%q,"fingerprint":%q,"labels":{"alertname":"Errors","colour":%q,"release":%q}}]}`, status, issue, colour, release)
	}
	w.report(u, alert("green", "2", "old", "firing"), 202) // before: it counts for nothing
	d := w.await(w.deploy(n, nil).ID, "held")
	d = w.verdict(d.ID, "bugs", "inconclusive")
	w.action("pusher", d.ID, "promote", nil, 409)

	// The hosts' balancers have seen requests before; only those since then count.
	var requests atomic.Int64
	requests.Store(1000)
	web1.Spoil(func(s *hosting.Seen) { s.Requests = requests.Load() })
	for _, body := range []string{alert("green", "2", "a", "firing"), alert("green", "2", "a", "firing"), alert("blue", "1", "b", "firing"), alert("green", "2", "b", "firing"), alert("green", "1", "c", "firing"), alert("", "77", "d", "firing")} {
		w.report(u, body, 202)
	}
	if d = w.verdict(d.ID, "bugs", "inconclusive"); !strings.HasPrefix(d.Gates[0].Reason, "0 issues so far") {
		t.Errorf("%+v", d.Gates)
	}
	eventually(t, func() bool {
		requests.Add(20)
		w.call("member", "GET", shopPath+"/deployments/"+d.ID, nil, 200, &d)
		return d.Gates[0].Verdict == "pass"
	})
	w.report(u, alert("green", "2", "e", "firing"), 202)
	if d = w.verdict(d.ID, "bugs", "fail"); !strings.Contains(d.Gates[0].Reason, "green has 2 issues that blue has not") || len(d.Gates[0].Measured) != 2 || *d.Gates[0].Measured[0].Value != 3 || *d.Gates[0].Measured[1].Value != 1 {
		t.Errorf("%+v", d.Gates)
	}
	w.report(u, alert("green", "2", "e", "resolved"), 202)
	d = w.verdict(d.ID, "bugs", "pass")
	// Samples are no events: each verdict is one.
	verdicts := 0
	for _, h := range d.History {
		if h.Type == "deployment.gate_changed.v1" {
			verdicts++
		}
	}
	if verdicts != 4 {
		t.Errorf("%d events: %+v", verdicts, d.History)
	}
	w.action("pusher", d.ID, "promote", nil, 201)
	w.await(d.ID, "ended")
}

// Who does not know the URL, or does not sign where that is asked for, learns nothing, and
// large and strange bodies are refused.
func TestWebhookGateRefuses(t *testing.T) {
	w, _, _ := deployable(t)
	w.call("owner", "PUT", prodPath+"/policy", object{"gates": []object{{"name": "bugs", "kind": "webhook", "format": "sentry"}}}, 200, nil)
	first := w.hook("bugs", object{})
	body := `{"data":{"event":{"issue_id":"1","title":"t","release":"2"}}}`
	const resource, alert = "Sentry-Hook-Resource", "event_alert"
	if got := w.report(first.URL, body, 202, resource, alert); !strings.Contains(got, "no deployment has two colours") {
		t.Error(got)
	}
	w.report(first.URL, `[]`, 400, resource, alert)
	w.report(first.URL, strings.Repeat("x", 1<<20+1), 413, resource, alert)
	signed := w.hook("bugs", object{"key": "client secret"})
	unknown := w.report(first.URL, body, 401, resource, alert)
	mac := hmac.New(sha256.New, []byte("client secret"))
	mac.Write([]byte(body))
	w.report(signed.URL, body, 202, resource, alert, "Sentry-Hook-Signature", hex.EncodeToString(mac.Sum(nil)))
	if got := w.report(signed.URL, body+" ", 401, resource, alert, "Sentry-Hook-Signature", hex.EncodeToString(mac.Sum(nil))); got != unknown {
		t.Errorf("%s differs from %s", got, unknown)
	}
	w.call("owner", "DELETE", prodPath+"/gates/bugs/hook", nil, 200, nil)
	w.call("owner", "DELETE", prodPath+"/gates/bugs/hook", nil, 404, nil)
	w.report(signed.URL, body, 401, resource, alert, "Sentry-Hook-Signature", hex.EncodeToString(mac.Sum(nil)))
	// Neither the secret nor the key stand in the log.
	for _, e := range w.events() {
		for _, secret := range []string{"client secret", strings.TrimPrefix(signed.URL[strings.LastIndexByte(signed.URL, '/'):], "/")} {
			if strings.Contains(e, secret) {
				t.Errorf("the log has a secret: %s", e)
			}
		}
	}
}

// events are the data of all of the log.
func (w *world) events() (list []string) {
	w.T.Helper()
	for seq := uint64(1); seq <= w.LastSeq(); seq++ {
		e, err := w.Log().Get(w.T.Context(), seq)
		if err != nil {
			w.T.Fatal(err)
		}
		list = append(list, string(e.Data))
	}
	return list
}
