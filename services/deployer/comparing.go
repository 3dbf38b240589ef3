package deployer

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/deployment"
)

// compared is what a Prometheus gate finds: the new colour has at most so much, and at most so many
// times what the other one has. No answer and no data are inconclusive. Where the query is about a
// colour the other one is always asked, too: what is too much in both is not of the release.
func (s *Deployer) compared(ctx context.Context, state deployment.State, g events.DeployGate) (got sample) {
	green, why := s.query(ctx, g, state.In(), state.Request.Release)
	got.colours = []apitypes.GateColour{measured(state.In(), green, why)}
	if why != "" {
		got.verdict, got.reason = events.GateInconclusive, why
		return got
	}
	text, blue := fmt.Sprintf("%s has %.4g", state.In(), green), 0.0
	both := state.Replaces() && (g.Factor > 0 || strings.Contains(g.Query, "{colour}"))
	if both {
		blue, why = s.query(ctx, g, state.Out(), state.Sides[state.Out()].Release)
		got.colours = append(got.colours, measured(state.Out(), blue, why))
	}
	other := ""
	if both && why == "" {
		other = fmt.Sprintf("%s has %.4g", state.Out(), blue)
	}
	switch {
	case g.Most > 0 && green > g.Most || g.Most == 0 && g.Factor == 0 && green > 0:
		got.verdict, got.reason = events.GateFail, strings.TrimSuffix(fmt.Sprintf("%s, more than %.4g; %s", text, g.Most, other), "; ")
	case g.Factor > 0 && both && why != "":
		got.verdict, got.reason = events.GateInconclusive, why
	case g.Factor > 0 && both && green > blue*g.Factor:
		got.verdict, got.reason = events.GateFail, fmt.Sprintf("%s, and %s %.4g: more than %.4g times as much", text, state.Out(), blue, g.Factor)
	case other != "":
		got.verdict, got.reason = events.GatePass, fmt.Sprintf("%s, and %s %.4g", text, state.Out(), blue)
	default:
		got.verdict, got.reason = events.GatePass, text
	}
	return got
}

// measured is what a query has found of a colour, or why it has found nothing.
func measured(colour string, value float64, why string) apitypes.GateColour {
	if why != "" {
		return apitypes.GateColour{Colour: colour, Found: why}
	}
	return apitypes.GateColour{Colour: colour, Found: fmt.Sprintf("%.4g", value), Value: &value}
}

// query asks for one number; why says why there is none.
func (s *Deployer) query(ctx context.Context, g events.DeployGate, colour string, release int) (value float64, why string) {
	text := strings.NewReplacer("{colour}", colour, "{release}", strconv.Itoa(release)).Replace(g.Query)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(g.URL, "/")+"/api/v1/query?"+url.Values{"query": {text}}.Encode(), nil)
	if err != nil {
		return 0, "this is no address: " + bounded(g.URL)
	}
	status, body, err := s.fetch(r)
	if err != nil {
		return 0, "Prometheus does not answer: " + bounded(err.Error())
	}
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK || answer.Status != "success" {
		return 0, fmt.Sprintf("Prometheus answers %d %s", status, bounded(answer.Error))
	}
	var point [2]any
	switch answer.Data.ResultType {
	case "scalar":
		err = json.Unmarshal(answer.Data.Result, &point)
	case "vector":
		var vector []struct{ Value [2]any }
		if err = json.Unmarshal(answer.Data.Result, &vector); err == nil && len(vector) != 1 {
			return 0, fmt.Sprintf("the query gives %d numbers for %s, and not one", len(vector), colour)
		}
		if err == nil {
			point = vector[0].Value
		}
	default:
		return 0, "the query gives no number but a " + bounded(answer.Data.ResultType)
	}
	number, _ := point[1].(string)
	value, failed := strconv.ParseFloat(number, 64)
	if err != nil || failed != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, "the query gives no number for " + colour
	}
	return value, ""
}
