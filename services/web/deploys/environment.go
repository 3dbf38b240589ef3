package deploys

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type environmentPage struct {
	apitypes.EnvironmentDetails
	Past  []apitypes.Deployment
	Sides []side // blue and green, then the stateful services
	// Preview is what a release would be now; nil where nobody asks. Hinders is why there can be none.
	Preview *apitypes.Release
	Hinders []string
	// Faster is the event by which somebody else did what the visitor wanted to do.
	Faster *apitypes.DeploymentChange
}

// A side is a colour with what hosts say of it, or the stateful services.
type side struct {
	apitypes.RunningSide
	There  bool // it has a release
	Live   bool // it has all or most of the traffic
	New    bool // the latest deployment brings it
	Main   apitypes.ReleaseImage
	OnHost []onHost
	// Many says that there are more hosts than people read: Sums count them by how they stand, OnHost are
	// those with which something is wrong, and MoreHosts how many of these are not shown.
	Many      bool
	Sums      []hostSum
	MoreHosts int
}

// A hostSum is how many hosts stand in a way.
type hostSum struct {
	State frame.State
	N     int
}

// maxHosts bounds the hosts that a side lists.
const maxHosts = 12

// sum keeps of many hosts those of which people want to know.
func (s *side) sum() {
	if s.Many = len(s.OnHost) > maxHosts; !s.Many {
		return
	}
	var wrong []onHost
	for _, h := range s.OnHost {
		k := slices.IndexFunc(s.Sums, func(sum hostSum) bool { return sum.State == h.State })
		if k < 0 {
			k = len(s.Sums)
			s.Sums = append(s.Sums, hostSum{State: h.State})
		}
		s.Sums[k].N++
		if h.Grey || h.Excluded || h.State.Class == "bad" {
			wrong = append(wrong, h)
		}
	}
	slices.SortStableFunc(s.Sums, func(a, b hostSum) int { return cmp.Compare(b.N, a.N) })
	s.MoreHosts = max(0, len(wrong)-maxHosts)
	s.OnHost = wrong[:len(wrong)-s.MoreHosts]
}

// An onHost is a side on one host.
type onHost struct {
	Name     string
	State    frame.State
	Says     string
	Grey     bool
	Excluded bool
}

func findEnvironment(v *frame.Visit) (environmentPage, error) {
	d, err := frame.Get[apitypes.EnvironmentDetails](v, envAPI(v), nil)
	p := environmentPage{EnvironmentDetails: d}
	p.arrange()
	return p, err
}

func showEnvironment(v *frame.Visit) (any, error) {
	p, err := findEnvironment(v)
	if err != nil {
		return nil, err
	}
	past, err := frame.Get[apitypes.List[apitypes.Deployment]](v, api(v, "deployments"), url.Values{"environment": {p.Environment.Name}, "limit": {"10"}})
	if err != nil {
		return nil, err
	}
	p.Past = past.Items
	if p.Deployment != nil && v.Query("was") != "" {
		for k, h := range p.Deployment.History {
			if fmt.Sprint(h.Seq) == v.Query("was") {
				p.Faster = &p.Deployment.History[k]
			}
		}
	}
	if p.Moves() {
		v.Again(3)
	}
	err = p.preview(v)
	return p, err
}

// Page is the address of the environment's page.
func (p environmentPage) Page() string { return frame.AppPage(p.Application, p.Environment.Name) }

// Moves says that hosts work on a deployment, which no event tells in between.
func (p *environmentPage) Moves() bool {
	return p.Deployment != nil && !p.Deployment.Final && p.Deployment.Step != "held"
}

// Now is how it stands.
func (p environmentPage) Now() *apitypes.AppNow { return p.Environment.Now }

// arrange makes the sides.
func (p *environmentPage) arrange() {
	now := p.Environment.Now
	for _, colour := range []string{"blue", "green", ""} {
		s := side{RunningSide: apitypes.RunningSide{Colour: colour}}
		for _, r := range p.Running.Sides {
			if r.Colour == colour {
				s.RunningSide, s.There = r, true
			}
		}
		if colour == "" && (!s.There || len(s.Images) == 0) {
			continue
		}
		if now != nil {
			s.Live = colour != "" && now.Colour == colour
		}
		s.New = p.Deployment != nil && colour != "" && !p.Deployment.Final && p.Deployment.Colour == colour
		if len(s.Images) > 0 {
			s.Main = s.Images[max(0, slices.IndexFunc(s.Images, func(i apitypes.ReleaseImage) bool { return i.Here }))]
		}
		for _, h := range p.Hosts {
			for _, seen := range h.Sides {
				if seen.Colour == colour && s.There && slices.Contains(s.Hosts, h.Name) {
					s.OnHost = append(s.OnHost, seenOn(h, seen))
				}
			}
		}
		s.sum()
		p.Sides = append(p.Sides, s)
	}
}

// seenOn is what a host says of a side.
func seenOn(h apitypes.DeploymentHost, seen apitypes.DeploymentSide) onHost {
	o := onHost{Name: h.Name, Grey: h.Grey, Excluded: h.Excluded, Says: cmp.Or(seen.Error, h.Error)}
	switch {
	case h.Grey:
		o.State, o.Says = frame.State{Icon: "?", Word: "does not answer", Class: "quiet"}, ""
	case o.Says != "":
		o.State = frame.State{Icon: "✗", Word: "cannot get on", Class: "bad"}
	case seen.Wanted == "pull" && seen.Reached == "pull":
		o.State = frame.State{Icon: "✓", Word: "has the images", Class: "ok"}
	case seen.Wanted == "pull":
		o.State = frame.State{Icon: "●", Word: "pulls", Class: "busy"}
		if seen.ToPull > 0 {
			o.Says = frame.Size(seen.Pulled) + " of " + frame.Size(seen.ToPull)
		}
	case seen.Wanted == "run" && seen.Healthy:
		o.State, o.Says = frame.State{Icon: "✓", Word: "healthy", Class: "ok"}, frame.Plural(seen.Running, "container", "containers")
	case seen.Wanted == "run":
		o.State, o.Says = frame.State{Icon: "●", Word: "starts", Class: "busy"}, fmt.Sprintf("%d running", seen.Running)
	case seen.Wanted == "drain" && !seen.Drained:
		o.State = frame.State{Icon: "●", Word: "drains", Class: "busy"}
		if seen.Sessions >= 0 {
			o.Says = frame.Plural(seen.Sessions, "session", "sessions")
		}
	case seen.Drained:
		o.State = frame.State{Icon: "⊘", Word: "stopped, kept", Class: "quiet"}
	default:
		o.State = frame.State{Icon: "·", Word: cmp.Or(seen.Reached, "not known"), Class: "quiet"}
	}
	return o
}

// side is that of a colour.
func (p *environmentPage) side(colour string) side {
	for _, s := range p.Sides {
		if s.Colour == colour {
			return s
		}
	}
	return side{}
}

// Blue and Green are the parts of the traffic, in percent.
func (p environmentPage) Blue() int  { return p.side("blue").Share }
func (p environmentPage) Green() int { return p.side("green").Share }

// State is how the environment stands, in a word.
func (p environmentPage) State() frame.State { return frame.Standing(p.Environment.Now) }

// Lede says in a sentence what is going on.
func (p environmentPage) Lede() string {
	d, now := p.Deployment, p.Environment.Now
	if d == nil {
		return "Nothing was deployed here yet."
	}
	before := ""
	if d.Replaces > 0 {
		before = fmt.Sprintf(" Release %d, in %s, has the traffic.", d.Replaces, frame.OtherColour(d.Colour))
	}
	switch d.Step {
	case "requested":
		return fmt.Sprintf("%s has asked to deploy release %d, which is judged once more.%s", d.By, d.Release, before)
	case "pulling":
		return fmt.Sprintf("%s deploys release %d to %s: hosts pull its images.%s", d.By, d.Release, d.Colour, before)
	case "starting", "ready":
		return fmt.Sprintf("%s deploys release %d to %s: its containers start, without traffic.%s", d.By, d.Release, d.Colour, before)
	case "shifting":
		return fmt.Sprintf("Release %d, in %s, gets the traffic step by step. Going back takes about a second.", d.Release, d.Colour)
	case "held":
		return fmt.Sprintf("Release %d, in %s, is held at %d %% of the traffic, beside release %d in %s. Going back takes about a second.", d.Release, d.Colour, d.Share, d.Replaces, frame.OtherColour(d.Colour))
	case "draining":
		return fmt.Sprintf("%s has promoted release %d: it has all of the traffic. Sessions in %s, with release %d, come to their end.", d.PromotedBy, d.Release, frame.OtherColour(d.Colour), d.Replaces)
	case "returning":
		return fmt.Sprintf("Release %d comes up again in %s. Release %d has the traffic until it is healthy on all hosts.", d.Replaces, frame.OtherColour(d.Colour), d.Release)
	case "leaving":
		return fmt.Sprintf("Release %d was given up: release %d has all of the traffic, and sessions in %s come to their end.", d.Release, d.Replaces, d.Colour)
	}
	ended := fmt.Sprintf("Release %d was deployed by %s.", d.Release, d.By)
	switch d.Outcome {
	case "promoted":
	case "failed":
		ended = fmt.Sprintf("Release %d, deployed by %s, has failed, and was taken back.", d.Release, d.By)
	default:
		ended = fmt.Sprintf("Release %d, deployed by %s, was %s.", d.Release, d.By, strings.ReplaceAll(d.Outcome, "_", " "))
	}
	if now.Release > 0 {
		ended += fmt.Sprintf(" Release %d, in %s, has all of the traffic.", now.Release, now.Colour)
	} else {
		ended += " Nothing has traffic."
	}
	return ended
}

// Next is the colour that the next deployment comes up in.
func (p environmentPage) Next() string {
	if c := p.Environment.Now.Colour; c != "" {
		return frame.OtherColour(c)
	}
	return "blue"
}

// Can says whether a person may do that with the deployment that runs.
func (p environmentPage) Can(what string) bool {
	return p.Deployment != nil && slices.Contains(p.Deployment.Can, what)
}

// Placed says whether the next deployment has hosts.
func (p environmentPage) Placed() bool { return len(p.Placement.Web)+len(p.Placement.Worker) > 0 }

// Early says that the deployment has no traffic yet: giving it up is a cancellation.
func (p environmentPage) Early() bool {
	return p.Deployment != nil && slices.Contains([]string{"requested", "pulling", "starting", "ready"}, p.Deployment.Step)
}

// Second says that somebody else has to promote the deployment: the policy wants two persons, and
// this one has asked for it.
func (p environmentPage) Second(me string) bool {
	return p.Deployment != nil && p.Deployment.Two && p.Deployment.By == me
}

// Open are the gates of the deployment that have not passed.
func (p environmentPage) Open() (names []string) {
	if p.Deployment == nil {
		return nil
	}
	for _, g := range p.Deployment.Gates {
		if g.Verdict != "pass" {
			names = append(names, g.Name)
		}
	}
	return names
}

// Returns says whether a deployment of the past can be gone back to.
func (p environmentPage) Returns(d apitypes.Deployment) bool {
	return p.Free() && d.PromotedBy != "" && d.Release != p.Environment.Now.Release
}

// Free says that no deployment has the environment.
func (p environmentPage) Free() bool {
	return p.Environment.Now.Step == "ended" || p.Environment.Now.Step == "idle"
}

// Fresh says that a release of what the tags name now would be another one than the latest.
func (p environmentPage) Fresh() bool { return p.Preview != nil && !p.Preview.Unchanged }

// Ready says that the latest release is not the one that has the traffic.
func (p environmentPage) Ready() bool { return p.Latest > 0 && p.Latest != p.Environment.Now.Release }

// DeployWhat is what the button says: the image that changes, when it is one, or the release.
func (p environmentPage) DeployWhat() string {
	number, images := p.Latest, []apitypes.ReleaseImage(nil)
	if p.Preview != nil {
		number, images = p.Preview.Number, p.Preview.Images
	}
	var changed []apitypes.ReleaseImage
	live := p.side(p.Environment.Now.Colour)
	for _, i := range images {
		if i.Here && !slices.ContainsFunc(live.Images, func(now apitypes.ReleaseImage) bool { return now.Service == i.Service && now.Digest == i.Digest }) {
			changed = append(changed, i)
		}
	}
	if len(changed) == 1 {
		return fmt.Sprintf("Deploy %s to %s", frame.Short(changed[0].Digest), p.Next())
	}
	return fmt.Sprintf("Deploy release %d to %s", number, p.Next())
}

// preview looks at what a release would be now, where the visitor may make one and could
// deploy it.
func (p *environmentPage) preview(v *frame.Visit) error {
	if !v.May("write") || !p.Free() || !p.Placed() {
		return nil
	}
	r, err := frame.Get[apitypes.Release](v, api(v, "releases", "next"), nil)
	var problem *endpoint.Problem
	switch {
	case err == nil:
		p.Preview = &r
	case errors.As(err, &problem) && problem.Status == http.StatusUnprocessableEntity:
		for _, e := range problem.Errors {
			p.Hinders = append(p.Hinders, e.Message)
		}
	case frame.Refused(err) == "":
		return err
	}
	return nil
}

// Steps are the parts of the traffic that the next deployment gets.
func (p environmentPage) Steps() []int {
	if len(p.Policy.Policy.Steps) == 0 {
		return []int{50}
	}
	return p.Policy.Policy.Steps
}

// After is how long gates have to have passed until the hub promotes, "" when a person does.
func (p environmentPage) After() string {
	if p.Policy.Policy.Automatic == 0 {
		return ""
	}
	return frame.Took(float64(p.Policy.Policy.Automatic))
}
