package deployer_test

import (
	"bufio"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"hubledger/services/deployer/hosttest"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/hosting"
)

// refusal is told to pusher.
func (w *world) refusal(path string, status int, says string) {
	w.T.Helper()
	var p struct{ Detail string }
	w.call("pusher", "GET", path, nil, status, &p)
	if !strings.Contains(p.Detail, says) {
		w.T.Errorf("%s: it is told %q", path, p.Detail)
	}
}

// Who may deploy looks at containers, and nobody else; what hosts say is shown without the secrets of the
// environment, whatever they do.
func TestContainers(t *testing.T) {
	w, web1, web2 := deployable(t)
	w.call("owner", "PUT", prodPath+"/secrets/DATABASE_URL", object{"value": "a secret of the shop"}, 200, nil)
	w.await(w.deploy(w.release("web 2"), nil).ID, "ended")
	var turn atomic.Int64
	for _, host := range []*hosttest.Host{web1, web2} {
		host.Looks(func(q hosting.Look) hosting.Sight {
			switch {
			case q.Kind == hosting.LookInspect:
				return hosting.Sight{Inspect: &hosting.Inspected{ID: q.Container, Command: []string{"run", "a secret of the shop"}, Variables: []string{"DATABASE_URL"}}}
			case q.Kind == hosting.LookTop:
				return hosting.Sight{Running: true, Top: &hosting.Processes{Titles: []string{"PID", "COMMAND"}, Rows: [][]string{{"1", "/app a secret of the shop"}}}}
			case q.Slot != web1.Slot("blue").ID:
				return hosting.Sight{Error: "the container is not there any more: a secret of the shop"}
			case q.After == 0:
				return hosting.Sight{Running: true, Lines: []hosting.LogLine{{At: 5e9, Text: "begins with a secret of the shop"}, {At: 6e9, Err: true, Text: "second"}}}
			case turn.Add(1) == 1:
				return hosting.Sight{Running: true, Lines: []hosting.LogLine{{At: q.After + 1, Text: "third, behind a secret of the shop"}}}
			}
			return hosting.Sight{}
		})
	}
	const list = prodPath + "/containers"
	w.call("member", "GET", list, nil, 403, nil)
	w.call("stranger", "GET", list, nil, 404, nil)
	w.call("pusher", "GET", shopPath+"/environments/other/containers", nil, 404, nil)
	var all apitypes.List[apitypes.AppContainer]
	w.call("pusher", "GET", list, nil, 200, &all)
	var web apitypes.AppContainer
	for _, c := range all.Items {
		if c.Service == "web" && c.Host == "web1" {
			web = c
		}
	}
	if len(all.Items) < 4 || web.Colour != "blue" || web.Release == 0 || web.State != "running" || web.ID != web1.Container(*web1.Slot("blue"), "web", 0) {
		t.Fatalf("there are %+v", all.Items)
	}
	one := list + "/" + web.ID
	w.call("member", "GET", one, nil, 403, nil)
	w.call("member", "GET", one+"/log", nil, 403, nil)
	w.call("member", "GET", one+"/log/live", nil, 403, nil)
	w.call("member", "GET", one+"/processes", nil, 403, nil)
	w.call("pusher", "GET", list+"/"+strings.Repeat("0", 12), nil, 404, nil)
	w.call("pusher", "GET", one+"/log?lines=3000", nil, 422, nil)
	w.refusal(list+"/"+web.Name, 409, "2 hosts have a container of that name")
	for _, id := range []string{web.ID, web.ID + strings.Repeat("f", 52)} {
		var d apitypes.ContainerDetails
		w.call("pusher", "GET", list+"/"+id, nil, 200, &d)
		if d.ID != web.ID || strings.Join(d.Command, " ") != "run ***" || strings.Join(d.Variables, " ") != "DATABASE_URL" {
			t.Errorf("%s is %+v", id, d)
		}
	}
	var top apitypes.ContainerProcesses
	w.call("pusher", "GET", one+"/processes", nil, 200, &top)
	if len(top.Rows) != 1 || top.Rows[0][1] != "/app ***" {
		t.Errorf("it runs %+v", top)
	}
	var log apitypes.ContainerLog
	w.call("pusher", "GET", one+"/log", nil, 200, &log)
	if len(log.Lines) != 2 || log.Lines[0].Text != "begins with ***" || log.Lines[1].Stream != "stderr" || log.Next != "6000000000" || !log.Running {
		t.Errorf("it wrote %+v", log)
	}

	// Followed, it ends with the container.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/api/v1"+one+"/log/live?after=6000000000", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens["pusher"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var told []string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text := lines.Text(); text != "" && text != ":" {
			told = append(told, text)
		}
		if lines.Text() == "event: end" {
			break
		}
	}
	if got := strings.Join(told, "\n"); !strings.Contains(got, "id: 6000000001\nevent: log\n") || !strings.Contains(got, `"text":"third, behind ***"`) || !strings.HasSuffix(got, "event: end") {
		t.Errorf("followed, it is\n%s", got)
	}

	// What the host cannot say is told without secrets, too; so is that it does not answer.
	for _, c := range all.Items {
		if c.Colour == "" {
			w.refusal(list+"/"+c.ID+"/log", 409, "not there any more: ***")
		}
	}
	w.call("owner", "PUT", prodPath+"/policy", object{"owners": true}, 200, nil)
	w.refusal(one, 403, "only owners")
	w.call("owner", "GET", one, nil, 200, nil)
}
