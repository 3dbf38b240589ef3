package cmd

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Under constant load a release comes up beside the one that runs, has half of the requests and of
// the workers, is promoted, brought back, and a broken one goes back by its gate, while agents and
// the hub are killed, HAProxy is loaded and started again, and so is an engine: no request fails,
// none reaches what was told to stop, and each order is done once.
func TestBlueGreenOnTwoHosts(t *testing.T) {
	s := startShop(t)
	orders, requests := int64(500), int64(5000)
	if os.Getenv("HUBLEDGER_SOAK") == "long" {
		orders, requests = 10_000, 100_000
	}
	s.first()
	l := s.load(orders)
	defer func() {
		if t.Failed() {
			t.Logf("%q", l.failed())
		}
	}()
	phase := func(what string) {
		t.Logf("%5.1f s, %6d requests, %d failed, %d late, %d orders sent again: %s", time.Since(l.began).Seconds(), l.sent.Load(), len(l.failed()), l.late.Load(), l.again.Load(), what)
	}
	stopped := func(what string) { // what the hub has told to stop gets nothing any more
		t.Helper()
		phase("stopped: " + what)
		if late, again := l.late.Load(), l.again.Load(); late > 0 || again > 0 {
			t.Errorf("%s: %d requests came to what had its stop signal, and %d orders had to be sent again", what, late, again)
		}
	}
	green := func(want float64) {
		t.Helper()
		if got := l.share(1500); got < want-2 || got > want+2 {
			t.Errorf("green has %.1f %%, and not %.0f %%", got, want)
		} else {
			phase(fmt.Sprintf("green has %.1f %%", got))
		}
	}

	s.push("2")
	s.deploy()
	s.agents[0].kill() // while it pulls and starts
	s.agents[0].start()
	s.at("held")
	s.inForce("50", "50")
	green(50)
	s.proxy.Process.Signal(syscall.SIGUSR2) // a reload: a new process has its sockets, and the weights
	time.Sleep(2 * time.Second)
	green(50)
	s.rebalance() // a new program takes over
	phase("HAProxy was started anew")
	green(50)
	s.promote()
	s.hub.Kill() // while blue is drained
	s.hub.Start()
	phase("the hub was killed after the promotion")
	s.at("ended")
	stopped("blue, by a promotion")
	green(100)
	s.await("blue is torn down", func() bool { return strings.Contains(s.run("events", "ls", "type:deployment.torn_down"), "torn_down") })
	stopped("blue, torn down")

	s.run("rollback", "admin/shop", "production", "--detach")
	s.agents[1].kill()
	s.agents[1].start()
	if d := s.at("ended"); d.Outcome != "promoted" || d.Kind != "rollback" {
		t.Errorf("%+v", d)
	}
	stopped("green, by the way back to the release of before")
	green(0)

	s.deploy()
	s.at("held")
	s.inForce("50", "50")
	s.run("rollback", "admin/shop", "production", "--detach")
	if d := s.at("ended"); d.Outcome != "rolled_back" {
		t.Errorf("%+v", d)
	}
	stopped("green, by a person while it was held")

	s.push("broken")
	s.deploy()
	if d := s.at("ended"); d.Outcome != "rolled_back" {
		t.Errorf("%+v", d)
	}
	stopped("green, by its gate")
	green(0)

	// An engine that ends tells no balancer beforehand: its containers get their stop signal, say at
	// their probe that they stop, and go on until HAProxy has asked. An order that is on its way when one
	// is killed instead is sent again by who has sent it.
	s.engines[1].End()
	phase("an engine has ended")
	s.engines[1].Restart()
	s.await("the second host has its container again", func() bool {
		resp, err := http.Get("http://127.0.0.2:" + s.blue + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
	phase("the engine is back")
	for l.sent.Load() < requests || l.ordered.Load() < orders {
		time.Sleep(100 * time.Millisecond)
	}
	l.stop()
	phase("all was sent")
	for _, wrong := range l.failed() {
		t.Error(wrong)
	}
	done := map[string]int{}
	s.await("all orders are done", func() bool {
		clear(done)
		for line := range strings.Lines(s.sh("", filepath.Join(s.dir, "build-1", "shop"), "done")) {
			order, _, _ := strings.Cut(line, " ")
			done[order]++
		}
		return int64(len(done)) >= orders
	})
	for order, n := range done {
		if n != 1 {
			t.Errorf("%s was done %d times", order, n)
		}
	}
}

// BenchmarkPromote is how long after a person has pressed the button the balancer goes by it:
// "promote", and "rollback" of a deployment that is held.
func BenchmarkPromote(b *testing.B) {
	s := startShop(b)
	s.first()
	s.push("2")
	var promoted, back time.Duration
	for b.Loop() {
		s.deploy()
		s.at("held")
		s.inForce("50", "50")
		began := time.Now()
		s.run("rollback", "admin/shop", "production", "--detach")
		s.inForce("100", "")
		back += time.Since(began)
		s.at("ended")

		s.deploy()
		s.at("held")
		s.inForce("50", "50")
		began = s.promote()
		s.inForce("", "100")
		promoted += time.Since(began)
		s.at("ended")
		s.run("rollback", "admin/shop", "production", "--detach")
		s.at("ended")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(promoted.Seconds()/float64(b.N), "s/promote")
	b.ReportMetric(back.Seconds()/float64(b.N), "s/rollback")
}
