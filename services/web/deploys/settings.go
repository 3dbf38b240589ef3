package deploys

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type placementPage struct {
	App, Environment string
	apitypes.AppHosts
	Known []apitypes.Host // that the environment can have
}

func showPlacement(v *frame.Visit) (any, error) {
	p := placementPage{App: fullName(v), Environment: v.Path("environment")}
	var err error
	if p.AppHosts, err = frame.Get[apitypes.AppHosts](v, envAPI(v, "hosts"), nil); err != nil {
		return nil, err
	}
	known, err := frame.Get[apitypes.List[apitypes.Host]](v, frame.Path("namespaces", v.Path("namespace"), "hosts"), nil)
	p.Known = known.Items
	for _, name := range slices.Concat(p.Web, p.Worker, p.Stateful) { // also those that cannot be chosen any more
		if !slices.ContainsFunc(p.Known, func(h apitypes.Host) bool { return h.Name == name }) {
			p.Known = append(p.Known, apitypes.Host{Name: name, State: "gone"})
		}
	}
	return p, err
}

// Has says whether a host has a role, as it was sent or is set.
func (p placementPage) Has(v *frame.Visit, role, host string) bool {
	if v.Sent != nil {
		return slices.Contains(v.Sent[role], host)
	}
	return slices.Contains(map[string][]string{"web": p.Web, "worker": p.Worker, "stateful": p.Stateful}[role], host)
}

func setPlacement(v *frame.Visit) (string, error) {
	stateful := slices.DeleteFunc(slices.Clone(v.Sent["stateful"]), func(name string) bool { return name == "" })
	seq, err := v.Send(http.MethodPut, envAPI(v, "hosts"), apitypes.AppHosts{Web: v.Sent["web"], Worker: v.Sent["worker"], Stateful: stateful, Seq: v.SeenSeq()}, nil)
	return frame.Done(envPage(v), seq, err)
}

type policyPage struct {
	App, Environment string
	apitypes.AppPolicy
	Days []string
}

// days of the week, as policies name them.
var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func showPolicy(v *frame.Visit) (any, error) {
	p, err := frame.Get[apitypes.AppPolicy](v, envAPI(v, "policy"), nil)
	return policyPage{fullName(v), v.Path("environment"), p, days}, err
}

// Steps are the parts of the traffic, as the form has them.
func (p policyPage) Steps() string {
	var texts []string
	for _, n := range p.Policy.Steps {
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, ", ")
}

// Minutes is a number of seconds as the form has it, "" for none.
func (p policyPage) Minutes(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(seconds)/60, 'f', -1, 64)
}

// OnPush are the images that are deployed on a push, one a line.
func (p policyPage) OnPush() string {
	var lines []string
	for _, d := range p.Policy.OnPush {
		lines = append(lines, d.Repository+":"+d.Tag)
	}
	return strings.Join(lines, "\n")
}

// Freezes are the times without deployments, one a line.
func (p policyPage) Freezes() string {
	var lines []string
	for _, f := range p.Policy.Freezes {
		line := ""
		if len(f.Days) > 0 {
			line = strings.Join(f.Days, ",") + " " + cmp.Or(f.Begin, "00:00") + "-" + cmp.Or(f.End, "24:00")
		} else {
			line = f.From.UTC().Format(time.RFC3339) + " " + f.Until.UTC().Format(time.RFC3339)
		}
		lines = append(lines, strings.TrimSpace(line+" "+f.Why))
	}
	return strings.Join(lines, "\n")
}

// Hooked says whether a gate has a URL at which its error tracker reports.
func (p policyPage) Hooked(gate string) bool { return slices.Contains(p.Hooks, gate) }

// Built says whether images have to be built here, and BuiltSource and BuiltRef from what.
func (p policyPage) Built() bool { return p.Policy.Built != nil }

// BuiltSource is the git source that images have to come from.
func (p policyPage) BuiltSource() string {
	if p.Policy.Built == nil {
		return ""
	}
	return p.Policy.Built.Source
}

// BuiltRef is the ref that images have to come from.
func (p policyPage) BuiltRef() string {
	if p.Policy.Built == nil {
		return ""
	}
	return p.Policy.Built.Ref
}

// Checked says whether a box is, as it was sent or as it is set.
func (p policyPage) Checked(v *frame.Visit, name string, has bool) bool {
	if v.Sent != nil {
		return v.Sent.Get(name) != ""
	}
	return has
}

// savePolicy reads the form. Gates, which have pages of their own, stay as they are.
func savePolicy(v *frame.Visit) (string, error) {
	now, err := frame.Get[apitypes.AppPolicy](v, envAPI(v, "policy"), nil)
	if err != nil {
		return "", err
	}
	p, f := now.Policy, form{v, endpoint.Fail(http.StatusUnprocessableEntity, "nothing was changed")}
	p.Steps = f.steps("steps")
	p.Pause, p.Automatic, p.Warm = f.minutes("pause"), f.minutes("automatic"), f.minutes("warm")
	p.RollBack, p.Owners, p.Two = v.Sent.Get("rollBack") != "", v.Sent.Get("owners") != "", v.Sent.Get("two") != ""
	p.Deadlines = events.DeployDeadlines{Pull: f.minutes("pull"), Start: f.minutes("start"), Drain: f.minutes("drain")}
	p.OnPush, p.Freezes = f.onPush("onPush"), f.freezes("freezes")
	if p.Built = nil; v.Sent.Get("built") != "" {
		p.Built = &events.DeployProvenance{Source: strings.TrimSpace(v.Sent.Get("source")), Ref: strings.TrimSpace(v.Sent.Get("ref"))}
	}
	if len(f.wrong.Errors) > 0 {
		return "", f.wrong
	}
	seq, err := sendPolicy(v, p)
	return frame.Done(envPage(v)+"/policy", seq, err)
}

// sendPolicy sets the policy, if it still is the one that the form's page has shown.
func sendPolicy(v *frame.Visit, p events.DeployPolicy) (uint64, error) {
	return v.Send(http.MethodPut, envAPI(v, "policy"), apitypes.SetAppPolicyRequest{DeployPolicy: p, Seq: v.SeenSeq()}, nil)
}

// A form reads fields, and says at each what is wrong with it.
type form struct {
	v     *frame.Visit
	wrong *endpoint.Problem
}

func (f form) steps(field string) (list []int) {
	for _, text := range strings.FieldsFunc(f.v.Sent.Get(field), func(r rune) bool { return r == ',' || r == ' ' || r == '%' }) {
		n, err := strconv.Atoi(text)
		if err != nil {
			f.wrong.At("body."+field, "write percents, such as 5, 25, 50")
			return nil
		}
		list = append(list, n)
	}
	return list
}

// minutes are seconds for a number of minutes.
func (f form) minutes(field string) int {
	text := strings.TrimSpace(f.v.Sent.Get(field))
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 7*24*60 {
		f.wrong.At("body."+field, "write a number of minutes, at most 10080, or nothing")
		return 0
	}
	return int(n*60 + 0.5)
}

func (f form) lines(field string) (list []string) {
	for line := range strings.Lines(f.v.Sent.Get(field)) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func (f form) onPush(field string) (list []events.DeployOnPush) {
	for _, line := range f.lines(field) {
		repository, tag, ok := strings.Cut(line, ":")
		if !ok {
			f.wrong.At("body."+field, fmt.Sprintf("%.80q: write NAMESPACE/NAME:TAG", line))
			continue
		}
		list = append(list, events.DeployOnPush{Repository: repository, Tag: tag})
	}
	return list
}

func (f form) freezes(field string) (list []events.DeployFreeze) {
	for _, line := range f.lines(field) {
		first, rest, _ := strings.Cut(line, " ")
		second, why, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if from, err := time.Parse(time.RFC3339, first); err == nil {
			until, err := time.Parse(time.RFC3339, second)
			if err != nil {
				f.wrong.At("body."+field, fmt.Sprintf("%.80q: write until when, such as 2026-12-27T08:00:00Z", line))
			}
			list = append(list, events.DeployFreeze{From: from, Until: until, Why: strings.TrimSpace(why)})
			continue
		}
		freeze := events.DeployFreeze{Days: strings.Split(strings.ToLower(first), ","), Why: strings.TrimSpace(why)}
		for _, day := range freeze.Days {
			if !slices.Contains(days, day) {
				f.wrong.At("body."+field, fmt.Sprintf("%.80q: begin with days such as fri,sat, or with a time such as 2026-12-24T00:00:00Z", line))
				break
			}
		}
		begin, end, ok := strings.Cut(second, "-")
		switch {
		case second == "":
		case !ok:
			f.wrong.At("body."+field, fmt.Sprintf("%.80q: write the hours as 16:00-24:00 behind the days", line))
		default:
			if freeze.Begin, freeze.End = begin, end; begin == "00:00" {
				freeze.Begin = ""
			}
			if end == "24:00" {
				freeze.End = ""
			}
		}
		list = append(list, freeze)
	}
	return list
}
