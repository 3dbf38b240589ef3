package hostagent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"hubledger/events"
	"hubledger/services/hostagent/enginetest"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
)

// What a container wrote, how it was made and what runs in it is told without secrets, and of
// containers of the slot only.
func TestLooks(t *testing.T) {
	w := newWorld(t)
	e := enginetest.Start(t)
	h := w.host("web1", e)
	image := w.push("admin/shop", "one")
	slot := webSlot(hosting.Blue, image, 18081, 18082)
	of := &slot.Services[0]
	const secret, value = "a secret of the shop", "eu-central-17"
	of.Environment = append(of.Environment, compose.Variable{Name: "PASSWORD", Secret: true}, compose.Variable{Name: "REGION"})
	of.Values = map[string]string{"PASSWORD": secret, "REGION": value}
	of.Command = []string{"serve", "--region=" + value}
	h.run(slot)
	id := h.healthy(slot.ID).Containers[0].ID
	look := func(q hosting.Look) hosting.Sight {
		t.Helper()
		s, err := w.hosts.Look(t.Context(), h.machine.ID, q)
		check(t, err)
		text, err := json.Marshal(s)
		check(t, err)
		if strings.Contains(string(text), secret) || q.Kind != hosting.LookLogs && strings.Contains(string(text), value) {
			t.Errorf("%s tells %s", q.Kind, text)
		}
		return s
	}
	at := func(kind string) hosting.Look {
		return hosting.Look{Kind: kind, Slot: slot.ID, Container: id, Lines: 100}
	}
	log := look(at(hosting.LookLogs))
	if len(log.Lines) != 1 || log.Lines[0].Text != "begins with ***" || log.Lines[0].Err || !log.Running || log.Cut {
		t.Errorf("its log is %+v", log)
	}
	if i := look(at(hosting.LookInspect)).Inspect; i == nil || i.State != "running" || !strings.Contains(fmt.Sprint(i.Variables), "PASSWORD REGION") || fmt.Sprint(i.Command) != "[serve --region=***]" ||
		len(i.Ports) == 0 || !strings.Contains(i.Ports[0], "127.0.0.1:18081 -> 8080/tcp") {
		t.Errorf("it was made as %+v", i)
	}
	if top := look(at(hosting.LookTop)).Top; top == nil || len(top.Rows) != 1 || !strings.Contains(fmt.Sprint(top.Rows), "/app serve") {
		t.Errorf("its processes are %+v", top)
	}
	// A container that waits for lines has those that come.
	next := at(hosting.LookLogs)
	next.After, next.Wait = log.Lines[0].At, 10*time.Second
	got := make(chan hosting.Sight, 1)
	go func() { s, _ := w.hosts.Look(t.Context(), h.machine.ID, next); got <- s }()
	full := ""
	all, err := e.ContainerList(t.Context(), client.ContainerListOptions{})
	check(t, err)
	for _, c := range all.Items {
		if strings.HasPrefix(c.ID, id) {
			full = c.ID
		}
	}
	_, err = e.ContainerRestart(t.Context(), full, client.ContainerRestartOptions{})
	check(t, err)
	if s := <-got; len(s.Lines) > 1 || len(s.Lines) == 1 && s.Lines[0].Text != "begins with ***" {
		t.Errorf("what comes is %+v", s)
	}
	until(t, "the lines behind the first", func() bool {
		next.Wait = time.Second
		s := look(next)
		return len(s.Lines) == 1 && s.Lines[0].Text == "begins with ***"
	})
	// Of more lines than are wanted those at the end come.
	one := at(hosting.LookLogs)
	one.Lines = 1
	if s := look(one); len(s.Lines) != 1 || s.Lines[0].At <= log.Lines[0].At {
		t.Errorf("the last line is %+v", s)
	}
	for what, q := range map[string]hosting.Look{
		"another container":  {Kind: hosting.LookInspect, Slot: slot.ID, Container: strings.Repeat("0", 12)},
		"no container":       {Kind: hosting.LookInspect, Slot: slot.ID},
		"a slot of nobody":   {Kind: hosting.LookInspect, Slot: slot.ID + "x", Container: id},
		"a part of its id":   {Kind: hosting.LookInspect, Slot: slot.ID, Container: id[:4]},
		"something else":     {Kind: "exec", Slot: slot.ID, Container: id},
		"a path for its log": {Kind: hosting.LookLogs, Slot: slot.ID, Container: "../" + id},
	} {
		if s := look(q); s.Error == "" || s.Inspect != nil || s.Lines != nil {
			t.Errorf("%s: %+v", what, s)
		}
	}
	h.kill()
	until(t, "a host that is away", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := w.hosts.Look(ctx, h.machine.ID, at(hosting.LookInspect))
		return errors.Is(err, hosting.ErrAway)
	})
}

// A host answers what it was asked, and nothing else: not for another host, not twice, and nothing that
// no host would say. How many ask at once is bounded, and who goes away leaves nothing.
func TestHostileLooks(t *testing.T) {
	w := newWorld(t)
	l, trust := w.listen()
	victim, honest := w.connect(l, trust, events.MachineHost, "victim", "")
	thief, stolen := w.connect(l, trust, events.MachineHost, "thief", "")
	if _, err := w.hosts.Look(t.Context(), victim.ID, hosting.Look{}); !errors.Is(err, hosting.ErrAway) {
		t.Errorf("a host that fetches no questions: %v", err)
	}
	// fetch has a host come for its next question.
	fetch := func(s stranger) (q hosting.Look) {
		t.Helper()
		var a struct {
			Value struct{ Look *hosting.Look }
		}
		text := s.answer("look", `{}`)
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.Value.Look == nil {
			t.Fatalf("%v: %s", err, text)
		}
		return *a.Value.Look
	}
	var asking sync.WaitGroup
	// ask asks a host as soon as it comes for questions.
	ask := func(ctx context.Context, machine string) chan hosting.Sight {
		got := make(chan hosting.Sight, 1)
		asking.Go(func() {
			for ctx.Err() == nil {
				s, err := w.hosts.Look(ctx, machine, hosting.Look{Kind: hosting.LookLogs, Slot: "of " + machine})
				if err == nil {
					got <- s
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
		return got
	}
	defer asking.Wait()
	got := ask(t.Context(), victim.ID)
	q := fetch(honest)
	if q.Slot != "of "+victim.ID || q.ID == "" {
		t.Fatalf("it fetches %+v", q)
	}
	forged := `{"id":"` + q.ID + `","sight":{"running":true,"lines":[{"at":1,"text":"forged"}]}}`
	if a := stolen.answer("told", forged); a != `{"value":null}` {
		t.Errorf("another host is answered %s", a)
	}
	select {
	case s := <-got:
		t.Fatalf("another host has answered: %+v", s)
	case <-time.After(100 * time.Millisecond):
	}
	if a := honest.answer("told", strings.Replace(forged, "forged", "real", 1)); a != `{"value":null}` {
		t.Errorf("it is answered %s", a)
	}
	if s := <-got; len(s.Lines) != 1 || s.Lines[0].Text != "real" {
		t.Errorf("the answer is %+v", s)
	}
	honest.answer("told", forged) // nobody waits for it any more

	for what, sight := range map[string]string{
		"many lines":    `{"lines":[` + strings.TrimSuffix(strings.Repeat(`{"text":"x"},`, hosting.MaxLines+1), ",") + `]}`,
		"a long line":   `{"lines":[{"text":"` + strings.Repeat("x", hosting.MaxLine+1) + `"}]}`,
		"long lines":    `{"lines":[` + strings.TrimSuffix(strings.Repeat(`{"text":"`+strings.Repeat("x", hosting.MaxLine)+`"},`, 100), ",") + `]}`,
		"a time before": `{"lines":[{"at":-1,"text":"x"}]}`,
		"a long error":  `{"error":"` + strings.Repeat("x", 3000) + `"}`,
		"variables":     `{"inspect":{"variables":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 501), ",") + `]}}`,
		"checks":        `{"inspect":{"checks":[` + strings.TrimSuffix(strings.Repeat(`{"output":"x"},`, 21), ",") + `]}}`,
		"processes":     `{"top":{"rows":[` + strings.TrimSuffix(strings.Repeat(`["x"],`, hosting.MaxProcesses+1), ",") + `]}}`,
		"a wide row":    `{"top":{"rows":[[` + strings.TrimSuffix(strings.Repeat(`"x",`, 21), ",") + `]]}}`,
	} {
		got := ask(t.Context(), thief.ID)
		q := fetch(stolen)
		if a := stolen.answer("told", `{"id":"`+q.ID+`","sight":`+sight+`}`); !strings.Contains(a, `"code":"report"`) {
			t.Errorf("%s: it is answered %s", what, a)
		}
		if s := <-got; s.Error != "the answer of the host is malformed" || s.Lines != nil {
			t.Errorf("%s: who asks is told %+v", what, s)
		}
	}
	for _, data := range []string{`[]`, `{"id":7}`, `{"id":"` + strings.Repeat("x", 10000) + `"}`} {
		if a := stolen.answer("told", data); a == "" || strings.Contains(a, "failed") {
			t.Errorf("%.20s is answered %s", data, a)
		}
	}

	// So many ask at once; who leaves makes room.
	ctx, leave := context.WithCancel(t.Context())
	for range 16 {
		ask(ctx, victim.ID)
	}
	var err error
	until(t, "one too many", func() bool {
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = w.hosts.Look(short, victim.ID, hosting.Look{Kind: hosting.LookLogs})
		return errors.Is(err, hosting.ErrLooks)
	})
	leave()
	asking.Wait()
	got = ask(t.Context(), victim.ID)
	q = fetch(honest)
	honest.answer("told", `{"id":"`+q.ID+`","sight":{"running":false}}`)
	if s := <-got; s.Running || s.Error != "" {
		t.Errorf("after the others have left: %+v", s)
	}
	// A host that answers without an end is bounded.
	busy := 0
	flood := &host{world: w, machine: w.enroll(events.MachineHost, "loud", keyOf("L"))}
	for range 300 {
		if err := (wire.Client{Conn: &wired{h: flood}}).Told(t.Context(), "nobody's", hosting.Sight{}); errors.Is(err, wire.ErrBusy) {
			busy++
		}
	}
	if busy < 100 {
		t.Errorf("of 300 answers that nobody waits for %d were refused", busy)
	}
}
