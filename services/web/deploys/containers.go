package deploys

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type containersPage struct {
	App, Environment string
	Own              bool
	Containers       []apitypes.AppContainer
	// Of the list there are All; it is filtered when Found is not as many.
	All, Found int
	Next       string // see frame.Rows
}

// narrow keeps those that the address asks for: by colour, by a part of the name of the service, the host or the
// id, and of these the rows of the page.
func (p *containersPage) narrow(v *frame.Visit) {
	p.All = len(p.Containers)
	text, colour := v.Query("q"), v.Query("colour")
	p.Containers = slices.DeleteFunc(p.Containers, func(c apitypes.AppContainer) bool {
		return colour != "" && cmp.Or(c.Colour, "stateful") != colour || !strings.Contains(c.Service+" "+c.Host+" "+c.ID+" "+c.State+" "+c.Health, text)
	})
	p.Found = len(p.Containers)
	p.Containers, p.Next = frame.Rows(v, p.Containers)
}

func findContainers(v *frame.Visit) (containersPage, error) {
	list, err := frame.Get[apitypes.List[apitypes.AppContainer]](v, envAPI(v, "containers"), nil)
	return containersPage{App: fullName(v), Environment: v.Path("environment"), Own: v.May("admin"), Containers: list.Items}, err
}

func showContainers(v *frame.Visit) (any, error) {
	p, err := findContainers(v)
	if err == nil {
		p.narrow(v)
		v.Again(5)
	}
	return p, err
}

// Standing is how a container stands, in a word.
func (containersPage) Standing(c apitypes.AppContainer) frame.State {
	return hostPage{}.Healthy(apitypes.HostContainer{State: c.State, Health: c.Health})
}

type containerPage struct {
	containersPage
	Container apitypes.AppContainer
	API       string // address of the container in the API
	Details   *apitypes.ContainerDetails
	Processes *apitypes.ContainerProcesses
	Log       apitypes.ContainerLog
	Lines     []containerLine
	Trouble   []string // what its host cannot say now, and why
	Last      int      // so many lines were asked for
}

// A containerLine is a line of a log, as it is shown.
type containerLine struct {
	apitypes.ContainerLine
	Number int
	Spans  []frame.Span
}

// maxContainerLog bounds the text of a log that a page shows, in bytes.
const maxContainerLog = 80_000

// showContainer asks the host of a container how it is now. What the host does not say, the page says
// so about: the rest is worth showing.
func showContainer(v *frame.Visit) (any, error) {
	list, err := findContainers(v)
	if err != nil {
		return nil, err
	}
	p := containerPage{containersPage: list, Last: 200}
	k := slices.IndexFunc(list.Containers, func(c apitypes.AppContainer) bool { return c.ID == v.Path("container") })
	if k < 0 {
		return nil, endpoint.NotFound()
	}
	p.Container = list.Containers[k]
	at := envAPI(v, "containers", p.Container.ID)
	p.API = "/api/v1" + at
	if n, err := strconv.Atoi(v.Query("lines")); err == nil && n > 0 {
		p.Last = min(n, 2000)
	}
	log, err := frame.Get[apitypes.ContainerLog](v, at+"/log", url.Values{"lines": {strconv.Itoa(p.Last)}})
	if err != nil {
		if frame.Refused(err) == "" {
			return nil, err
		}
		p.Trouble = append(p.Trouble, frame.Refused(err))
		return p, nil // its host says nothing else either
	}
	p.Log, p.Lines = log, lastLines(log.Lines)
	if d, err := frame.Get[apitypes.ContainerDetails](v, at, nil); err == nil {
		p.Details = &d
	} else {
		p.Trouble = append(p.Trouble, err.Error())
	}
	if p.Log.Running {
		if top, err := frame.Get[apitypes.ContainerProcesses](v, at+"/processes", nil); err == nil {
			p.Processes = &top
		} else {
			p.Trouble = append(p.Trouble, err.Error())
		}
	}
	return p, nil
}

// lastLines are the last lines that fit into a page.
func lastLines(all []apitypes.ContainerLine) (list []containerLine) {
	size, from := 0, len(all)
	for from > 0 {
		if size += len(all[from-1].Text); size > maxContainerLog && from < len(all) {
			break
		}
		from--
	}
	for k, l := range all[from:] {
		list = append(list, containerLine{l, k + 1, frame.Coloured(l.Text)})
	}
	return list
}

// After is behind which line the log goes on.
func (p containerPage) After() string { return cmp.Or(p.Log.Next, "0") }

// Left says that there are lines before those that are shown.
func (p containerPage) Left() bool {
	return p.Log.Cut || len(p.Lines) == p.Last || len(p.Lines) < len(p.Log.Lines)
}

// Runs is what is started in it.
func (p containerPage) Runs() string {
	return strings.Join(slices.Concat(p.Details.Entrypoint, p.Details.Command), " ")
}
