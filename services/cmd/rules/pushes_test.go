package rules

import (
	"testing"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
)

// A push says why each rule that is for its ref builds nothing.
func TestResult(t *testing.T) {
	p := apitypes.Push{Summary: "nothing to build", Verdicts: []events.RuleVerdict{
		{Rule: "release", Outcome: buildrule.Skip, Reason: buildrule.KindDiffers, Detail: "the rule is for tags"},
		{Rule: "edge", Outcome: buildrule.Skip, Reason: buildrule.PathsDiffer, Detail: "no changed file matches docs/**; changed: a"},
		{Rule: "slash", Outcome: buildrule.Skip, Reason: buildrule.TagInvalid, Detail: "a/b is no tag"}}}
	if got, want := result(p), "nothing to build; edge: no changed file matches docs/**; changed: a; slash: a/b is no tag"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
