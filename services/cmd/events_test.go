package cmd

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
)

// A follower of the log gets each event once, in the order of the log, also across a restart of the hub.
func TestEventsTail(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	push := func(tag string) { c.MustPush(t, "admin/app", tag, registrytest.NewImage(tag)) }
	push("before")
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	tail := exec.CommandContext(ctx, program(t), "--data", h.Data, "events", "tail", "type:image.pushed", "--after", "0")
	out, err := tail.StdoutPipe()
	if err == nil {
		err = tail.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Wait()
	defer stop()
	lines := bufio.NewScanner(out)
	next := func(tag string) {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("it ended before the push of %s: %v", tag, lines.Err())
		}
		if !strings.Contains(lines.Text(), "pushed admin/app:"+tag+" ") {
			t.Errorf("%q comes, want the push of %s", lines.Text(), tag)
		}
	}
	next("before")
	push("during")
	next("during")
	h.Restart()
	push("after")
	next("after")
	h.Kill()
	h.Start()
	push("later")
	next("later")
}
