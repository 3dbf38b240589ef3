package deploys

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A confirmation says what a button leads to, before it is pressed.
type confirmation struct {
	environmentPage
	Release apitypes.Release     // of a deployment
	Diff    apitypes.ReleaseDiff // against what has the traffic
	Back    bool                 // it brings back a release that was there
	Host    string               // to be left out
	Gate    apitypes.DeploymentGate
}

// makeRelease makes a release of what the tags name now, and leads to its confirmation.
func makeRelease(v *frame.Visit) (string, error) {
	var made apitypes.Release
	if _, err := post(v, apitypes.MakeReleaseRequest{}, &made, "releases"); err != nil {
		return "", err
	}
	to := envPage(v) + "/deploy?release=" + strconv.Itoa(made.Number)
	if made.Unchanged {
		to += "&unchanged=1"
	}
	return to, nil
}

func showDeploy(v *frame.Visit) (any, error) {
	e, err := findEnvironment(v)
	if err != nil {
		return nil, err
	}
	c := confirmation{environmentPage: e, Back: v.Value("back", v.Query("back")) != ""}
	number := v.Value("release", v.Query("release"))
	if _, err := strconv.Atoi(number); err != nil {
		return nil, endpoint.NotFound()
	}
	if c.Release, err = frame.Get[apitypes.Release](v, api(v, "releases", number), nil); err != nil {
		return nil, err
	}
	if live := e.Environment.Now.Release; live > 0 && live != c.Release.Number {
		c.Diff, err = frame.Get[apitypes.ReleaseDiff](v, api(v, "releases", number, "diff"), url.Values{"from": {strconv.Itoa(live)}})
	}
	return c, err
}

func deploy(v *frame.Visit) (string, error) {
	number, err := strconv.Atoi(v.Sent.Get("release"))
	if err != nil {
		return "", endpoint.NotFound()
	}
	var made apitypes.Deployment
	seq, err := v.Send(http.MethodPost, envAPI(v, "deployments"), apitypes.DeployRequest{Release: number, Rollback: v.Sent.Get("back") != "", Note: v.Sent.Get("note")}, &made)
	return done(v, seq, made, err)
}

// showDecision is the confirmation of what a person decides about the deployment that runs.
func showDecision(v *frame.Visit) (any, error) {
	e, err := findEnvironment(v)
	if err == nil && e.Deployment == nil {
		err = endpoint.NotFound()
	}
	return confirmation{environmentPage: e}, err
}

// showPromote is showDecision with what the release changes.
func showPromote(v *frame.Visit) (any, error) {
	shown, err := showDecision(v)
	if err != nil {
		return nil, err
	}
	c := shown.(confirmation)
	if d := c.Deployment; d.Replaces > 0 && d.Replaces != d.Release {
		c.Diff, err = frame.Get[apitypes.ReleaseDiff](v, api(v, "releases", strconv.Itoa(d.Release), "diff"), url.Values{"from": {strconv.Itoa(d.Replaces)}})
	}
	return c, err
}

func showExclude(v *frame.Visit) (any, error) {
	shown, err := showDecision(v)
	if err != nil {
		return nil, err
	}
	c := shown.(confirmation)
	c.Host = v.Value("host", v.Query("host"))
	return c, nil
}

func showGate(v *frame.Visit) (any, error) {
	e, err := findEnvironment(v)
	if err != nil {
		return nil, err
	}
	if e.Deployment != nil {
		for _, g := range e.Deployment.Gates {
			if g.Name == v.Path("gate") {
				return confirmation{environmentPage: e, Gate: g}, nil
			}
		}
	}
	return nil, endpoint.NotFound()
}

// act sends what a person decides about the deployment that the form names: another one may
// have the environment by now, about which the person has decided nothing.
func act(v *frame.Visit, what string, body any) (string, error) {
	var made apitypes.Deployment
	seq, err := post(v, body, &made, "deployments", v.Sent.Get("deployment"), what)
	return done(v, seq, made, err)
}

// done leads to the environment, which says what was done. Where somebody else was faster,
// and nothing was left to do, it says who.
func done(v *frame.Visit, seq uint64, made apitypes.Deployment, err error) (string, error) {
	if err != nil {
		return "", err
	}
	for _, h := range made.History {
		if h.Seq == seq && h.By != v.Me() {
			return fmt.Sprintf("%s?was=%d", envPage(v), seq), nil
		}
	}
	return frame.Done(envPage(v), seq, nil)
}

func decide(what string) frame.Do {
	return func(v *frame.Visit) (string, error) {
		to, err := act(v, what, apitypes.DeploymentAction{Reason: v.Sent.Get("reason")})
		return to, atReason(v, err)
	}
}

// atReason names the field of the form that a refusal for want of a reason is about.
func atReason(v *frame.Visit, err error) error {
	var p *endpoint.Problem
	if errors.As(err, &p) && len(p.Errors) == 0 && strings.TrimSpace(v.Sent.Get("reason")) == "" && strings.Contains(p.Detail, "gates have not passed") {
		p.At("reason", p.Detail)
	}
	return err
}

func exclude(v *frame.Visit) (string, error) {
	return act(v, "exclude-host", apitypes.ExcludeHostRequest{Host: v.Sent.Get("host"), Reason: v.Sent.Get("reason")})
}

func judgeGate(v *frame.Visit) (string, error) {
	reason := strings.TrimSpace(v.Sent.Get("reason"))
	if reason == "" {
		return "", endpoint.Invalid("body.reason", "say why: the log keeps it")
	}
	var made apitypes.Deployment
	seq, err := post(v, apitypes.GateRequest{Verdict: v.Sent.Get("verdict"), Reason: reason}, &made, "deployments", v.Sent.Get("deployment"), "gates", v.Path("gate"))
	return done(v, seq, made, err)
}
