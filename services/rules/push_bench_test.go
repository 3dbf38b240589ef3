package rules_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
)

// BenchmarkPushToQueue pushes a commit with git, sends a webhook and waits for the build:
// how long it took from the webhook, and from the event by which the hub has seen that the
// branch moved, until the event that queues the build, by the log's own times.
func BenchmarkPushToQueue(b *testing.B) {
	repo := gitremotetest.New(b, "sha1")
	host := repo.ServeHTTP(true)
	guard, err := egress.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	w := newWorld(b, server.Config{Egress: guard})
	begin := w.LastSeq() + 1
	var linked apitypes.ChangedSource
	w.call("owner", "POST", "/namespaces/acme/sources", object{"name": "git", "url": host.URL + "/app.git"}, 201, &linked)
	next := after[events.RefsRecorded](w, begin, nil)
	w.ask("owner", "PUT", "", rulesOf("acme/git", object{"name": "edge", "branch": "main", "tags": []string{"edge"}}), 200, nil)
	var sent, seen []time.Duration
	for n := 0; b.Loop(); n++ {
		repo.Git(repo.Work, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(n))
		repo.Push("main")
		time.Sleep(1100 * time.Millisecond) // webhooks lead to a sweep a second
		body := fmt.Appendf(nil, `{"n":%d}`, n)
		mac := hmac.New(sha256.New, []byte(linked.HookSecret))
		mac.Write(body)
		_, id, _ := strings.Cut(linked.WebhookURL, "/hooks/")
		req, err := http.NewRequest("POST", w.URL+"/hooks/"+id, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": fmt.Sprint("d-", n), "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil))} {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp, err)
		}
		resp.Body.Close()
		heard := after[events.HookReceived](w, next, nil)
		moved := after[events.RefMoved](w, heard, nil)
		next = after[events.BuildQueued](w, moved, nil)
		queued := w.await(next - 1).Time()
		sent, seen = append(sent, queued.Sub(w.await(heard-1).Time())), append(seen, queued.Sub(w.await(moved-1).Time()))
	}
	for name, all := range map[string][]time.Duration{"hook": sent, "seen": seen} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Milliseconds()), name+"-p50-ms")
		b.ReportMetric(float64(all[len(all)-1].Milliseconds()), name+"-max-ms")
	}
}
