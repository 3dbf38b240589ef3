package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/deployer/trackers"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/secret"
	"hubledger/services/internal/service"
)

// Defaults of gates of kind webhook.
const (
	hookWait     = 5 * time.Minute
	hookRequests = 100
)

// GatePath names a gate of an environment.
type GatePath struct {
	EnvironmentPath
	Gate string `path:"gate" maxLength:"40" doc:"Name of the gate"`
}

func (s *Deployer) registerWebhooks() {
	const path = environmentPath + "/gates/{gate}/hook"
	openapi.Add(s.API, op(http.MethodPut, path, "set-gate-hook", access.NamespaceAdmin, budget.Write, "Create the URL at which the error tracker of a gate reports",
		"It is shown once. A previous URL of the gate no longer works."), s.setHook)
	openapi.Add(s.API, op(http.MethodDelete, path, "remove-gate-hook", access.NamespaceAdmin, budget.Write, "Remove the URL of a gate", ""), s.removeHook)
}

func (s *Deployer) setHook(ctx context.Context, c *endpoint.Call, in *struct {
	GatePath
	Body apitypes.GateHookRequest
}) (*openapi.ChangeWith[apitypes.GateHook], error) {
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	policy, err := s.Read.Policy(ctx, e.Environment)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(policy.Value.Gates, func(g events.DeployGate) bool { return g.Name == in.Gate && g.Kind == events.GateWebhook }) {
		return nil, endpoint.Invalid("path.gate", fmt.Sprintf("the policy of %s has no gate %.40s of kind webhook: set one with hubledger apps policy set", e.Called, in.Gate))
	}
	record := ""
	if in.Body.Key != "" {
		if s.Secrets == nil {
			return nil, errNoSecrets
		}
		if record, err = command.NewID(); err == nil {
			err = s.Secrets.Put(ctx, application.RecordName(e.Environment, record), []byte(in.Body.Key))
		}
		if err != nil {
			return nil, err
		}
	}
	made, seq, err := deployment.SetHook(ctx, s.Log, c.By(), e, in.Gate, record)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	hub := origin.Of(c.Request).URL()
	if c.Principal.Kind == access.Operator {
		hub = s.URL
	}
	return openapi.ShowChange(seq, apitypes.GateHook{URL: hub + hookPath + string(made), Signed: record != "", Seq: seq}), nil
}

func (s *Deployer) removeHook(ctx context.Context, c *endpoint.Call, in *GatePath) (*openapi.Change, error) {
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	seq, err := deployment.RemoveHook(ctx, s.Log, c.By(), e, in.Gate)
	return s.API.Changed(ctx, seq, endpoint.Located(err, "path.gate", deployment.ErrInvalid))
}

// hookPath is where error trackers report, before the secret.
const hookPath = "/hooks/gates/"

// hookRoute takes reports. It asks a sender for the secret in the URL, and for nothing that an
// endpoint of the API knows.
func (s *Deployer) hookRoute() service.Route {
	return service.Route{Method: http.MethodPost, Pattern: hookPath + "{secret}", Permission: access.Open, Cost: budget.Write, Serve: s.serveHook}
}

// errHook is the answer to a URL that opens nothing and to a request that is not signed as it is
// to be: who sends it does not learn which.
var errHook = endpoint.Fail(http.StatusUnauthorized, "no gate has this URL, or the request is not signed with its key: make a new one with `hubledger gates hook`").With("WWW-Authenticate", `Webhook-Signature realm="hubledger"`)

func (s *Deployer) serveHook(w http.ResponseWriter, r *http.Request) {
	answer, err := s.takeReports(w, r)
	s.API.Accept(w, r, answer, err)
}

// takeReports is all that happens to a request before it is answered: what it reports is kept.
// What follows for the gate is measured after that.
func (s *Deployer) takeReports(w http.ResponseWriter, r *http.Request) (*apitypes.TakenReports, error) {
	ctx := r.Context()
	body, err := readReports(w, r)
	if err != nil {
		return nil, err
	}
	if err := budget.Of(ctx).Work(ctx); err != nil {
		return nil, err
	}
	of, err := s.Read.HookOf(ctx, secret.Secret(r.PathValue("secret")).Hash())
	if errors.Is(err, deploys.ErrNotFound) {
		return nil, errHook
	}
	if err != nil {
		return nil, err
	}
	if of.Record != "" {
		if s.Secrets == nil {
			return nil, errNoSecrets
		}
		key, _, err := s.Secrets.Get(ctx, application.RecordName(of.Environment, of.Record))
		if err != nil {
			return nil, fmt.Errorf("the key of the gate %s: %w", of.Gate, err)
		}
		if !trackers.Signed(key, r.Header, body) {
			return nil, errHook
		}
	}
	lives, err := s.lives(ctx, of.Environment)
	if err != nil || !lives {
		return nil, cmp.Or(err, error(errHook))
	}
	state, err := s.state(ctx, of.Environment)
	if err != nil {
		return nil, err
	}
	gates := state.Request.Policy.Gates
	if !measures(state.Step) { // what is sent is judged all the same, so that a test says whether it is right
		policy, err := s.Read.Policy(ctx, of.Environment)
		if err != nil {
			return nil, err
		}
		gates = policy.Value.Gates
	}
	k := slices.IndexFunc(gates, func(g events.DeployGate) bool { return g.Name == of.Gate && g.Kind == events.GateWebhook })
	if k < 0 {
		return &apitypes.TakenReports{Why: "the policy of the deployment has no such gate of kind webhook"}, nil
	}
	reports, err := trackers.Read(gates[k].Format, r.Header, body)
	if err != nil {
		return nil, endpoint.Fail(http.StatusBadRequest, err.Error()).Because(err)
	}
	if !measures(state.Step) {
		return &apitypes.TakenReports{Why: "no deployment has two colours with traffic now"}, nil
	}
	counted := attribute(state, reports)
	out := &apitypes.TakenReports{Counted: len(counted)}
	if len(counted) < len(reports) {
		out.Why = "what names neither a colour nor a release of this deployment does not count"
	}
	if len(counted) > 0 {
		if err := s.issues.Take(ctx, state.Of.Deployment, of.Gate, counted, time.Now()); err != nil {
			return nil, err
		}
		s.streaks.hurry(state.Of.Environment, of.Gate)
	}
	return out, nil
}

// readReports reads a body, whose memory is counted.
func readReports(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := budget.Of(r.Context()).Hold(trackers.MaxBody); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, trackers.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, endpoint.Fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("a report has at most %d MiB", trackers.MaxBody>>20))
	case err != nil:
		return nil, endpoint.Fail(http.StatusBadRequest, "the body could not be read to its end").Because(err)
	}
	return body, nil
}

// attribute gives reports to the colours of a deployment. A release that both colours have
// counts for both, where the report names no colour.
func attribute(state deployment.State, reports []trackers.Report) (list []trackers.Report) {
	for _, r := range reports {
		if r.Resolved && r.Colour == "" && r.Release == "" {
			list = append(list, r)
			continue
		}
		for _, colour := range []string{state.In(), state.Out()} {
			release := strconv.Itoa(state.Sides[colour].Release)
			if r.Colour == "" && r.Release == "" || r.Colour != "" && r.Colour != colour || r.Release != "" && r.Release != release {
				continue
			}
			one := r
			one.Colour = colour
			list = append(list, one)
		}
	}
	return list
}

// reported is what a webhook gate finds: issues of the new colour that the other one has not. That
// none are reported means something only after a while with traffic.
func (s *Deployer) reported(ctx context.Context, state deployment.State, g events.DeployGate, traffic time.Duration) (got sample) {
	all, err := s.issues.Open(ctx, state.Of.Deployment, g.Name)
	if err != nil {
		return sample{verdict: events.GateInconclusive, reason: "what was reported cannot be read"}
	}
	only := trackers.Only(all, state.In())
	var colours []apitypes.GateColour
	for _, colour := range []string{state.In(), state.Out()} {
		n := float64(len(slices.DeleteFunc(slices.Clone(all), func(i trackers.Issue) bool { return i.Colour != colour })))
		colours = append(colours, apitypes.GateColour{Colour: colour, Found: fmt.Sprintf("%.0f issues", n), Value: &n})
	}
	defer func() { got.colours = colours }()
	if float64(len(only)) > g.Most {
		text := fmt.Sprintf("%s has %d issues that %s has not, and at most %.0f may be", state.In(), len(only), state.Out(), g.Most)
		for k, i := range only[:min(3, len(only))] {
			text += map[bool]string{true: ": ", false: ", "}[k == 0] + bounded(cmp.Or(i.Title, i.Issue))
		}
		return sample{verdict: events.GateFail, reason: bounded(text)}
	}
	counters := map[string]int64{}
	for machine, o := range s.look(ctx, state).Hosts {
		for _, seen := range o.Slots {
			if seen.ID == deployment.SlotID(state.Of.Environment, state.In()) && seen.Deployment == state.Of.Deployment && seen.Requests >= 0 {
				counters[machine] = seen.Requests
			}
		}
	}
	requests, err := s.issues.Traffic(ctx, state.Of.Deployment, counters, time.Now())
	long, many := secondsOr(g.Seconds, hookWait), int64(cmp.Or(g.Requests, hookRequests))
	switch {
	case err != nil:
		return sample{verdict: events.GateInconclusive, reason: "the traffic cannot be counted"}
	case traffic < long || requests < many:
		return sample{verdict: events.GateInconclusive, reason: fmt.Sprintf("%d issues so far; it passes when %s has had traffic for %s, and %d requests, as HAProxy counts them (hubledger agent --haproxy-socket)", len(only), state.In(), long, many)}
	}
	return sample{verdict: events.GatePass, reason: fmt.Sprintf("%d issues in %s and %d requests", len(only), long, requests)}
}
