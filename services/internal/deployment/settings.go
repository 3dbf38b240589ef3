package deployment

import (
	"context"
	"errors"
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

// SetPlacement says which hosts an environment has from the next deployment on; seen is that
// of command.DecideSeen. ErrInvalid, command.ErrChanged.
func SetPlacement(ctx context.Context, log command.Log, by command.By, e application.Environment, seen *uint64, p events.Placement) (uint64, error) {
	switch {
	case len(p.Web) > MaxHosts || len(p.Worker) > MaxHosts:
		return 0, fmt.Errorf("%w: a role has at most %d hosts", ErrInvalid, MaxHosts)
	case len(p.Stateful) > 1:
		return 0, fmt.Errorf("%w: stateful services are on one host: their volumes are there", ErrInvalid)
	}
	set := events.PlacementSet{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Placement: p}
	return command.DecideSeen(ctx, log, by, set.Subject(), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
		if before, ok := last.(events.PlacementSet); ok && reflect.DeepEqual(before.Placement, p) {
			return nil, nil
		}
		return set, nil
	})
}

// SetPolicy says how an environment is deployed to from the next deployment on; seen is that
// of command.DecideSeen. edit changes that of now. ErrInvalid, command.ErrChanged.
func SetPolicy(ctx context.Context, log command.Log, by command.By, e application.Environment, seen *uint64, edit func(*events.DeployPolicy)) (uint64, error) {
	return command.DecideSeen(ctx, log, by, events.DeployPolicySubject(e.Namespace, e.Environment), seen, func(last events.Payload, _ uint64) (events.Payload, error) {
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

// A FieldError is an ErrInvalid that names the field of a policy which is wrong, such as
// gates[1].url.
type FieldError struct {
	Field string
	Err   error
}

func (e *FieldError) Error() string { return e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

// Location is where a request says what an error is about: a field of its body where the error
// names one.
func Location(err error) string {
	var f *FieldError
	if errors.As(err, &f) && f.Field != "" {
		return "body." + f.Field
	}
	return "body"
}

// CheckPolicy says whether a policy can be. ErrInvalid, by a FieldError.
func CheckPolicy(p events.DeployPolicy) error {
	wrong := func(field, format string, args ...any) error {
		return &FieldError{field, fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))}
	}
	for k, share := range p.Steps {
		if share < 1 || share > 99 || k > 0 && share <= p.Steps[k-1] {
			return wrong("steps", "steps are percents from 1 to 99, each more than the one before, such as 5, 25, 50")
		}
	}
	for _, of := range []struct {
		field   string
		seconds int
	}{{"pause", p.Pause}, {"automatic", p.Automatic}, {"warm", p.Warm}, {"deadlines.pull", p.Deadlines.Pull}, {"deadlines.start", p.Deadlines.Start}, {"deadlines.drain", p.Deadlines.Drain}} {
		if of.seconds < 0 || of.seconds > maxSeconds {
			return wrong(of.field, "a time is at most 7 days")
		}
	}
	for _, of := range []struct {
		field     string
		have, may int
	}{{"steps", len(p.Steps), maxSteps}, {"gates", len(p.Gates), MaxGates}, {"onPush", len(p.OnPush), maxRules}, {"freezes", len(p.Freezes), maxRules}} {
		if of.have > of.may {
			return wrong(of.field, "a policy has at most %d of them", of.may)
		}
	}
	names := map[string]bool{}
	for k, g := range p.Gates {
		at := fmt.Sprintf("gates[%d].", k)
		if names[g.Name] {
			return wrong(at+"name", "there are two gates %s", g.Name)
		}
		names[g.Name] = true
		if field, err := checkGate(g); err != nil {
			return wrong(at+field, "gate %.40s: %v", g.Name, err)
		}
	}
	for _, d := range p.OnPush {
		if _, err := path.Match(d.Tag, ""); err != nil || d.Tag == "" || len(d.Tag) > 128 || d.Repository == "" {
			return wrong("onPush", "name a repository and a tag, or a pattern with *, that is deployed: acme/web:v*")
		}
	}
	if b := p.Built; b != nil {
		if _, err := path.Match(b.Ref, ""); err != nil || len(b.Ref) > maxText {
			return wrong("built.ref", "%.80q is no pattern of refs", b.Ref)
		}
	}
	for _, f := range p.Freezes {
		if err := checkFreeze(f); err != nil {
			return wrong("freezes", "freeze: %v", err)
		}
	}
	return nil
}

// checkGate says what is wrong with a gate, and with which of its fields.
func checkGate(g events.DeployGate) (field string, err error) {
	if !gateName.MatchString(g.Name) {
		return "name", errors.New("a gate is called by 1 to 40 lower-case letters, digits and -")
	}
	for _, of := range []struct {
		field string
		wrong bool
		text  string
	}{{"passes", g.Passes < 0 || g.Passes > 1000, "it passes 1 to 1000 times in a row"}, {"every", g.Every < 0 || g.Every > 3600, "between two times is at most an hour"}, {"most", g.Most < 0, "write a number that is not negative"},
		{"factor", g.Factor < 0, "write a number that is not negative"}, {"query", len(g.Query) > maxText, "it is too long"}, {"url", len(g.URL) > maxText, "it is too long"}, {"host", len(g.Host) > 255, "it is too long"}} {
		if of.wrong {
			return of.field, errors.New(of.text)
		}
	}
	switch g.Kind {
	case events.GateManual:
		return "", nil
	case events.GateWebhook:
		switch {
		case !slices.Contains(Trackers, g.Format):
			return "format", fmt.Errorf("its format says who sends: %s", strings.Join(Trackers, ", "))
		case g.Seconds < 0 || g.Seconds > maxSeconds:
			return "seconds", errors.New("they are at most 7 days")
		case g.Requests < 0 || g.Requests > 1e9:
			return "requests", errors.New("they are at most 1000000000")
		}
		return "", nil
	case events.GateHTTP, events.GatePrometheus:
	default:
		return "kind", errors.New("its kind is http, manual, prometheus or webhook")
	}
	u, err := url.Parse(strings.NewReplacer("{host}", "host", "{port}", "80").Replace(g.URL))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "url", errors.New("write the address that is asked, such as http://{host}:{port}/healthz, without a password")
	}
	if g.Kind == events.GatePrometheus && g.Query == "" {
		return "query", errors.New("write the query, with {colour} where blue or green is to stand")
	}
	return "", nil
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
