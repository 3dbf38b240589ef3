package build

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"hubledger/events"
)

// Bounds of what a builder says of a build. Names and details are bytes.
const (
	MaxSteps    = 1000 // besides the fetch
	MaxStepName = 1000
	MaxDetail   = 4000
)

// checkReport refuses what no honest builder says: of another build or attempt than its
// own, or more than it may. ErrReport.
func checkReport(id ID, epoch int, p events.Payload) error {
	if p.Subject() != events.BuildSubject(id.Namespace, id.Build) {
		return fmt.Errorf("%w: it is about another build", ErrReport)
	}
	var of int
	var err error
	switch p := p.(type) {
	case events.BuildStepEnded:
		of, err = p.Epoch, checkStep(p)
	case events.BuildPushed:
		of, err = p.Epoch, checkPushed(p)
	case events.BuildFinished:
		of, err = p.Epoch, checkFinished(p)
	case events.BuildLost:
		of = p.Epoch
		if !p.Released {
			err = fmt.Errorf("%w: a builder gives a build back, and does not lose it", ErrReport)
		} else if p.Lacks != "" && p.Lacks != events.LacksHooks {
			err = fmt.Errorf("%w: a builder lacks %.20q", ErrReport, p.Lacks)
		}
	default:
		err = fmt.Errorf("%w: %s is not for builders", ErrReport, p.EventType())
	}
	if err == nil && of != epoch {
		err = fmt.Errorf("%w: it is about another attempt", ErrReport)
	}
	return err
}

func checkStep(p events.BuildStepEnded) error {
	switch {
	case p.Step < 1 || p.Step > MaxSteps+1 || p.Took < 0:
		return fmt.Errorf("%w: a step has the number %d and took %d ms", ErrReport, p.Step, p.Took)
	case !slices.Contains([]string{events.StepFetch, events.StepBuild, events.StepTest, events.StepPush}, p.Kind):
		return fmt.Errorf("%w: %.20q is no kind of step", ErrReport, p.Kind)
	case len(p.Name) > MaxStepName || !utf8.ValidString(p.Name):
		return fmt.Errorf("%w: the name of a step has %d bytes, or is no text", ErrReport, len(p.Name))
	}
	return nil
}

func checkFinished(p events.BuildFinished) error {
	switch {
	case p.Outcome != events.BuildFailed && p.Outcome != events.BuildSucceeded:
		return fmt.Errorf("%w: a builder does not end a build as %.20q", ErrReport, p.Outcome)
	case p.Digest != "" || len(p.Tags) > 0 || len(p.Refused) > 0:
		return fmt.Errorf("%w: a builder sets no tags", ErrReport)
	case len(p.Reason) > 40 || len(p.Detail) > MaxDetail || !utf8.ValidString(p.Reason+p.Detail):
		return fmt.Errorf("%w: the reason of a failure is too long, or is no text", ErrReport)
	}
	return nil
}
