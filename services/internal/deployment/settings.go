package deployment

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
)

// Bounds of a placement and of a policy.
const (
	MaxHosts   = 200 // of one role
	MaxGates   = 20
	maxSteps   = 20
	maxRules   = 20 // on push, and freezes
	maxText    = 2000
	maxSeconds = 7 * 24 * 3600
)

// SetPlacement says which hosts an environment has from the next deployment on. ErrInvalid.
func SetPlacement(ctx context.Context, log command.Log, by command.By, e application.Environment, p events.Placement) (uint64, error) {
	switch {
	case len(p.Web) > MaxHosts || len(p.Worker) > MaxHosts:
		return 0, fmt.Errorf("%w: a role has at most %d hosts", ErrInvalid, MaxHosts)
	case len(p.Stateful) > 1:
		return 0, fmt.Errorf("%w: stateful services are on one host: their volumes are there", ErrInvalid)
	}
	set := events.PlacementSet{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Placement: p}
	return command.Decide(ctx, log, by, set.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if before, ok := last.(events.PlacementSet); ok && reflect.DeepEqual(before.Placement, p) {
			return nil, nil
		}
		return set, nil
	})
}

// SetPolicy says how an environment is deployed to from the next deployment on. edit
// changes that of now. ErrInvalid.
func SetPolicy(ctx context.Context, log command.Log, by command.By, e application.Environment, edit func(*events.DeployPolicy)) (uint64, error) {
	return command.Decide(ctx, log, by, events.DeployPolicySubject(e.Namespace, e.Environment), func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.DeployPolicySet)
		after := before.Policy
		edit(&after)
		if err := CheckPolicy(after); err != nil || reflect.DeepEqual(before.Policy, after) {
			return nil, err
		}
		return events.DeployPolicySet{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Policy: after}, nil
	})
}

// Trackers are who sends to gates of kind webhook.
var Trackers = []string{"alertmanager", "bugsnag", "honeybadger", "rollbar", "sentry"}

var gateName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// CheckPolicy says whether a policy can be. ErrInvalid.
func CheckPolicy(p events.DeployPolicy) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	for k, share := range p.Steps {
		if share < 1 || share > 99 || k > 0 && share <= p.Steps[k-1] {
			return wrong("steps are percents from 1 to 99, each more than the one before, such as 5, 25, 50")
		}
	}
	for _, n := range []int{p.Pause, p.Automatic, p.Warm, p.Deadlines.Pull, p.Deadlines.Start, p.Deadlines.Drain} {
		if n < 0 || n > maxSeconds {
			return wrong("a time is at most 7 days")
		}
	}
	if len(p.Steps) > maxSteps || len(p.Gates) > MaxGates || len(p.OnPush) > maxRules || len(p.Freezes) > maxRules {
		return wrong("a policy has at most %d steps, gates, images and freezes each", maxRules)
	}
	names := map[string]bool{}
	for _, g := range p.Gates {
		if names[g.Name] {
			return wrong("there are two gates %s", g.Name)
		}
		names[g.Name] = true
		if err := checkGate(g); err != nil {
			return wrong("gate %.40s: %v", g.Name, err)
		}
	}
	for _, d := range p.OnPush {
		if _, err := path.Match(d.Tag, ""); err != nil || d.Tag == "" || len(d.Tag) > 128 || d.Repository == "" {
			return wrong("name a repository and a tag, or a pattern with *, that is deployed: acme/web:v*")
		}
	}
	if b := p.Built; b != nil {
		if _, err := path.Match(b.Ref, ""); err != nil || len(b.Ref) > maxText {
			return wrong("%.80q is no pattern of refs", b.Ref)
		}
	}
	for _, f := range p.Freezes {
		if err := checkFreeze(f); err != nil {
			return wrong("freeze: %v", err)
		}
	}
	return nil
}

func checkGate(g events.DeployGate) error {
	if !gateName.MatchString(g.Name) {
		return fmt.Errorf("a gate is called by 1 to 40 lower-case letters, digits and -")
	}
	if g.Passes < 0 || g.Passes > 1000 || g.Every < 0 || g.Every > 3600 || g.Most < 0 || g.Factor < 0 || len(g.Query) > maxText || len(g.URL) > maxText || len(g.Host) > 255 {
		return fmt.Errorf("it passes 1 to 1000 times in a row, each at most an hour after the one before")
	}
	switch g.Kind {
	case events.GateManual:
		return nil
	case events.GateWebhook:
		if !slices.Contains(Trackers, g.Format) {
			return fmt.Errorf("its format says who sends: %s", strings.Join(Trackers, ", "))
		}
		if g.Seconds < 0 || g.Seconds > maxSeconds || g.Requests < 0 || g.Requests > 1e9 {
			return fmt.Errorf("seconds are at most 7 days, and requests at most 1000000000")
		}
		return nil
	case events.GateHTTP, events.GatePrometheus:
	default:
		return fmt.Errorf("its kind is http, manual, prometheus or webhook")
	}
	u, err := url.Parse(strings.NewReplacer("{host}", "host", "{port}", "80").Replace(g.URL))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("write the address that is asked, such as http://{host}:{port}/healthz, without a password")
	}
	if g.Kind == events.GatePrometheus && g.Query == "" {
		return fmt.Errorf("write the query, with {colour} where blue or green is to stand")
	}
	return nil
}

// days of the week, as freezes name them.
var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func checkFreeze(f events.DeployFreeze) error {
	weekly := len(f.Days) > 0
	if weekly == !f.Until.IsZero() || !weekly && !f.From.Before(f.Until) || len(f.Why) > maxText {
		return fmt.Errorf("write from when until when, or days of the week")
	}
	for _, d := range f.Days {
		if !slices.Contains(days, d) {
			return fmt.Errorf("%.20q is no day of the week: write mon, tue, wed, thu, fri, sat or sun", d)
		}
	}
	for _, at := range []string{f.Begin, f.End} {
		if _, err := time.Parse("15:04", at); at != "" && err != nil {
			return fmt.Errorf("%.20q is no time of the day, such as 16:00 (UTC)", at)
		}
	}
	if f.Begin != "" && f.End != "" && f.Begin >= f.End {
		return fmt.Errorf("it ends before it begins: write two, one for each day")
	}
	return nil
}

// Frozen says why nothing is deployed at a time; "" when something may be.
func Frozen(p events.DeployPolicy, at time.Time) string {
	at = at.UTC()
	for _, f := range p.Freezes {
		why := ""
		if f.Why != "" {
			why = " (" + f.Why + ")"
		}
		if len(f.Days) == 0 {
			if !at.Before(f.From) && at.Before(f.Until) {
				return "nothing is deployed until " + f.Until.UTC().Format("2006-01-02 15:04") + " UTC" + why
			}
			continue
		}
		now, end := at.Format("15:04"), f.End
		if end == "" {
			end = "24:00"
		}
		if slices.Contains(f.Days, days[at.Weekday()]) && now >= f.Begin && now < end {
			return "nothing is deployed until " + end + " UTC on " + days[at.Weekday()] + why
		}
	}
	return ""
}
