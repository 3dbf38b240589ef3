package deploys

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type gatePage struct {
	App, Environment string
	events.DeployGate
	New  bool
	Hook bool   // it has a URL
	Seq  uint64 // of the policy
	// Trackers are the formats of webhooks.
	Trackers []string
}

// gateKinds are those that a form can make.
var gateKinds = []string{events.GateManual, events.GateHTTP, events.GatePrometheus, events.GateWebhook}

func policyOf(v *frame.Visit) (apitypes.AppPolicy, error) {
	return frame.Get[apitypes.AppPolicy](v, envAPI(v, "policy"), nil)
}

// gateAt is where the gate of the page's address is in a policy.
func gateAt(v *frame.Visit, p apitypes.AppPolicy) (int, error) {
	k := slices.IndexFunc(p.Policy.Gates, func(g events.DeployGate) bool { return g.Name == v.Path("gate") })
	if k < 0 {
		return 0, endpoint.NotFound()
	}
	return k, nil
}

func showNewGate(v *frame.Visit) (any, error) {
	kind := v.Query("kind")
	if !slices.Contains(gateKinds, kind) {
		return nil, endpoint.NotFound()
	}
	p, err := policyOf(v)
	return gatePage{fullName(v), v.Path("environment"), events.DeployGate{Kind: kind}, true, false, p.Seq, deployment.Trackers}, err
}

func showGateSetting(v *frame.Visit) (any, error) {
	p, err := policyOf(v)
	if err != nil {
		return nil, err
	}
	k, err := gateAt(v, p)
	if err != nil {
		return nil, err
	}
	g := p.Policy.Gates[k]
	return gatePage{fullName(v), v.Path("environment"), g, false, slices.Contains(p.Hooks, g.Name), p.Seq, deployment.Trackers}, nil
}

// Number is one as the form has it, "" for none.
func (p gatePage) Number(n any) string {
	text := ""
	switch n := n.(type) {
	case int:
		text = strconv.Itoa(n)
	case float64:
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if text == "0" {
		return ""
	}
	return text
}

// addGate adds the gate of the form to the policy.
func addGate(v *frame.Visit) (string, error) {
	p, err := policyOf(v)
	if err != nil {
		return "", err
	}
	return saveGate(v, p, len(p.Policy.Gates), events.DeployGate{Name: strings.TrimSpace(v.Sent.Get("name")), Kind: v.Query("kind")})
}

// changeGate changes the gate of the page's address. Its name and kind stay.
func changeGate(v *frame.Visit) (string, error) {
	p, err := policyOf(v)
	if err != nil {
		return "", err
	}
	k, err := gateAt(v, p)
	if err != nil {
		return "", err
	}
	was := p.Policy.Gates[k]
	return saveGate(v, p, k, events.DeployGate{Name: was.Name, Kind: was.Kind})
}

// inList is where the API says that something is wrong with one of the gates.
var inList = regexp.MustCompile(`^body\.gates\[\d+\]\.`)

// saveGate reads the rest of a gate from the form, and puts it into the policy.
func saveGate(v *frame.Visit, p apitypes.AppPolicy, at int, g events.DeployGate) (string, error) {
	f := form{v, endpoint.Fail(http.StatusUnprocessableEntity, "nothing was changed")}
	text := func(field string) string { return strings.TrimSpace(v.Sent.Get(field)) }
	switch g.Kind {
	case events.GateHTTP:
		g.URL, g.Host, g.Passes, g.Every = text("url"), text("host"), f.count("passes"), f.count("every")
	case events.GatePrometheus:
		g.URL, g.Query, g.Passes, g.Every, g.Most, g.Factor = text("url"), text("query"), f.count("passes"), f.count("every"), f.number("most"), f.number("factor")
	case events.GateWebhook:
		g.Format, g.Most, g.Seconds, g.Requests = text("format"), f.number("most"), f.count("seconds"), f.count("requests")
	}
	if len(f.wrong.Errors) > 0 {
		return "", f.wrong
	}
	gates := slices.Clone(p.Policy.Gates)
	if at == len(gates) {
		gates = append(gates, g)
	} else {
		gates[at] = g
	}
	p.Policy.Gates = gates
	seq, err := sendPolicy(v, p.Policy)
	if problem, ok := err.(*endpoint.Problem); ok {
		for _, e := range problem.Errors {
			e.Location = inList.ReplaceAllString(e.Location, "body.")
		}
	}
	to := envPage(v) + "/policy"
	if g.Kind == events.GateWebhook {
		to += "/gates/" + g.Name // where it gets its URL
	}
	return frame.Done(to, seq, err)
}

func removeGate(v *frame.Visit) (string, error) {
	p, err := policyOf(v)
	if err != nil {
		return "", err
	}
	k, err := gateAt(v, p)
	if err != nil {
		return "", err
	}
	p.Policy.Gates = slices.Delete(slices.Clone(p.Policy.Gates), k, k+1)
	seq, err := sendPolicy(v, p.Policy)
	if err == nil && slices.Contains(p.Hooks, v.Path("gate")) { // its URL opens nothing any more
		seq, err = v.Send(http.MethodDelete, envAPI(v, "gates", v.Path("gate"), "hook"), nil, nil)
	}
	return frame.Done(envPage(v)+"/policy", seq, err)
}

// hookGate makes the URL of a gate, and shows it this once.
func hookGate(v *frame.Visit) (string, error) {
	var made apitypes.GateHook
	_, err := v.Send(http.MethodPut, envAPI(v, "gates", v.Path("gate"), "hook"), apitypes.GateHookRequest{Key: strings.TrimSpace(v.Sent.Get("key"))}, &made)
	v.Sent.Del("key") // it is not shown again
	if err == nil {
		v.Made = made
	}
	return "", err
}

func unhookGate(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, envAPI(v, "gates", v.Path("gate"), "hook"), nil, nil)
	return frame.Done(envPage(v)+"/policy/gates/"+v.Path("gate"), seq, err)
}

// count is a whole number, 0 for an empty field.
func (f form) count(field string) int {
	text := strings.TrimSpace(f.v.Sent.Get(field))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		f.wrong.At("body."+field, "write a whole number, or nothing")
	}
	return n
}

// number is a number, 0 for an empty field.
func (f form) number(field string) float64 {
	text := strings.TrimSpace(f.v.Sent.Get(field))
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1e12 {
		f.wrong.At("body."+field, "write a number, or nothing")
		return 0
	}
	return n
}
