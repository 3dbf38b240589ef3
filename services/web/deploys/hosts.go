package deploys

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type hostsPage struct {
	Hosts []apitypes.Host
	Next  string // see frame.Rows
}

func showHosts(v *frame.Visit) (any, error) {
	return listHosts(v, "/hosts")
}

func listHosts(v *frame.Visit, path string) (p hostsPage, err error) {
	list, err := frame.Get[apitypes.List[apitypes.Host]](v, path, nil)
	p.Hosts, p.Next = frame.Rows(v, list.Items)
	return p, err
}

// inviteHost shows the one-time token of a new host, this once.
func inviteHost(v *frame.Visit) (string, error) {
	var made apitypes.InvitedHost
	namespaces := strings.FieldsFunc(v.Sent.Get("namespaces"), func(r rune) bool { return r == ',' || r == ' ' })
	_, err := v.Send(http.MethodPost, "/hosts", apitypes.InviteHostRequest{Name: strings.TrimSpace(v.Sent.Get("name")), Namespaces: namespaces}, &made)
	if err == nil {
		v.Made = made
		v.Sent.Del("name")
	}
	return "", frame.At("name", err)
}

// findHost is the host of the page's address.
func findHost(v *frame.Visit) (apitypes.Host, error) {
	list, err := frame.Get[apitypes.List[apitypes.Host]](v, "/hosts", nil)
	if err != nil {
		return apitypes.Host{}, err
	}
	k := slices.IndexFunc(list.Items, func(h apitypes.Host) bool { return h.Name == v.Path("host") })
	if k < 0 {
		return apitypes.Host{}, endpoint.NotFound()
	}
	return list.Items[k], nil
}

type hostPage struct {
	apitypes.Host
	Slots []apitypes.HostSlot
}

func showHost(v *frame.Visit) (any, error) {
	h, err := findHost(v)
	if err != nil || h.State == "invited" {
		return hostPage{Host: h}, err
	}
	c, err := frame.Get[apitypes.HostContainers](v, frame.Path("hosts", h.Name, "containers"), nil)
	if err == nil {
		v.Again(5)
	}
	h.State, h.Seen = c.State, c.Seen
	return hostPage{h, c.Slots}, err
}

// Standing is how a slot stands there, in a word.
func (p hostPage) Standing(s apitypes.HostSlot) frame.State {
	return seenOn(apitypes.DeploymentHost{Name: p.Name, Grey: p.State != "connected"}, s.DeploymentSide).State
}

// Healthy is the state of a container.
func (p hostPage) Healthy(c apitypes.HostContainer) frame.State {
	switch {
	case c.State == "running" && (c.Health == "" || c.Health == "healthy"):
		return frame.State{Icon: "✓", Word: strings.TrimSpace("running " + c.Health), Class: "ok"}
	case c.State == "running":
		return frame.State{Icon: "●", Word: "running, " + c.Health, Class: "busy"}
	}
	return frame.State{Icon: "·", Word: c.State, Class: "quiet"}
}

func showRevokeHost(v *frame.Visit) (any, error) { return findHost(v) }

func revokeHost(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("hosts", v.Path("host")), nil, nil)
	return fmt.Sprintf("/hosts?done=%d", seq), err
}

func showNamespaceHosts(v *frame.Visit) (any, error) {
	return listHosts(v, frame.Path("namespaces", v.Path("namespace"), "hosts"))
}
