package frame

import (
	"cmp"
	"strings"

	"hubledger/services/internal/apitypes"
)

// steps are the words for those of deployments that have not ended.
var steps = map[string]string{"requested": "judged", "pulling": "pulling images", "starting": "starting", "ready": "ready", "shifting": "shifting traffic", "draining": "draining", "returning": "going back", "leaving": "going back"}

// Standing is how an environment or a deployment stands.
func Standing(of any) State {
	var now apitypes.AppNow
	switch of := of.(type) {
	case apitypes.AppNow:
		now = of
	case *apitypes.AppNow:
		now = *of
	}
	switch {
	case now.Step == "idle":
		return State{"○", "nothing deployed", "quiet"}
	case now.Step == "ended":
		return stateOf(now.Outcome)
	case now.Step == "held":
		return State{"◐", "held", "busy"}
	}
	word := cmp.Or(steps[now.Step], now.Step)
	if now.Overdue {
		word += ", overdue"
	}
	return State{"●", word, "busy"}
}

// stepName is what the type of an event says of a deployment.
func stepName(kind string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(kind, "deployment."), ".v1"), "_", " ")
}

// OtherColour is green for blue, and blue for green.
func OtherColour(colour string) string {
	if colour == "blue" {
		return "green"
	}
	return "blue"
}

// HostState is that of a host: one that does not answer is grey, since nothing is known of it.
func HostState(word string) State {
	if word == "away" {
		return State{"?", "does not answer", "quiet"}
	}
	return stateOf(word)
}
