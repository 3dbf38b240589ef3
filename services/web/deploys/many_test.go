package deploys

import (
	"fmt"
	"testing"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

// Of many hosts a side says how many stand how, and lists those with which something is wrong, up to a number.
func TestManyHosts(t *testing.T) {
	hosts := func(fine, bad int) *side {
		s := &side{}
		for k := range fine {
			s.OnHost = append(s.OnHost, seenOn(apitypes.DeploymentHost{Name: fmt.Sprint("fine", k)}, apitypes.DeploymentSide{Wanted: "run", Healthy: true}))
		}
		for k := range bad {
			s.OnHost = append(s.OnHost, seenOn(apitypes.DeploymentHost{Name: fmt.Sprint("bad", k)}, apitypes.DeploymentSide{Wanted: "run", Error: "no space left"}))
		}
		s.sum()
		return s
	}
	if s := hosts(maxHosts-1, 1); s.Many || len(s.OnHost) != maxHosts {
		t.Errorf("of %d hosts %d are listed", maxHosts, len(s.OnHost))
	}
	s := hosts(180, 20)
	if !s.Many || len(s.OnHost) != maxHosts || s.MoreHosts != 20-maxHosts || s.OnHost[0].Name != "bad0" {
		t.Errorf("of 20 that are wrong %d are listed, and %d more", len(s.OnHost), s.MoreHosts)
	}
	if fmt.Sprint(s.Sums) != fmt.Sprint([]hostSum{{frame.State{Icon: "✓", Word: "healthy", Class: "ok"}, 180}, {frame.State{Icon: "✗", Word: "cannot get on", Class: "bad"}, 20}}) {
		t.Errorf("they are counted as %v", s.Sums)
	}
}
