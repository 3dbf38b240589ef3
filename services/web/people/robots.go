package people

import (
	"net/http"
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type robotsPage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Robot]
}

func showRobots(v *frame.Visit) (any, error) {
	h, err := head(v, "robots")
	if err != nil {
		return nil, err
	}
	robots, err := paged[apitypes.Robot](v, "orgs", h.Name, "robots")
	return robotsPage{h, robots}, err
}

func robotAt(ns, robot string) string { return namespaceAt(ns) + "/-/robots/" + url.PathEscape(robot) }

func createRobot(v *frame.Visit) (string, error) {
	ns, want := v.Path("namespace"), wantedName(v.Sent)
	seq, err := v.Send(http.MethodPost, frame.Path("orgs", ns, "robots"), want, nil)
	return frame.Done(robotAt(ns, want.Name), seq, frame.At("name", err))
}

type robotPage struct {
	Head  *namespaceHead
	Robot apitypes.Robot
	tokensPage
}

func showRobot(v *frame.Visit) (any, error) {
	h, err := head(v, "robots")
	if err != nil {
		return nil, err
	}
	r, err := named(v, h.Name+"+"+v.Path("robot"), func(r apitypes.Robot) string { return r.Name }, "orgs", h.Name, "robots")
	if err != nil {
		return nil, err
	}
	tokens, err := tokensOf(v, r.Name, robotAt(h.Name, v.Path("robot"))+"/tokens", "orgs", h.Name, "robots", v.Path("robot"))
	return robotPage{h, r, tokens}, err
}

func createRobotToken(v *frame.Visit) (string, error) {
	return "", issue(v, "orgs", v.Path("namespace"), "robots", v.Path("robot"))
}

func deleteRobot(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodDelete, frame.Path("orgs", ns, "robots", v.Path("robot")), nil, nil)
	return frame.Done(namespaceAt(ns)+"/-/robots", seq, err)
}

func showRobotToken(v *frame.Visit) (any, error) {
	ns, robot := v.Path("namespace"), v.Path("robot")
	return oneToken(v, ns+"+"+robot, robotAt(ns, robot), "orgs", ns, "robots", robot)
}

func revokeRobotToken(v *frame.Visit) (string, error) {
	ns, robot := v.Path("namespace"), v.Path("robot")
	seq, err := v.Send(http.MethodDelete, frame.Path("orgs", ns, "robots", robot, "tokens", v.Path("token")), nil, nil)
	return frame.Done(robotAt(ns, robot), seq, err)
}
