package balancer_test

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
)

// A server that closes connections which nobody uses, as all do in the end, costs no order: a request
// that changes something has a connection of its own. Without that HAProxy sends some on a connection
// that the server is just closing, and nobody may repeat those.
func TestNoPostOnAClosingConnection(t *testing.T) {
	if failed, sent := posts(t, balancedTo(t, func(text string) string { return text })); failed > 0 {
		t.Errorf("%d of %d POSTs failed", failed, sent)
	}
	without := func(text string) string {
		if !strings.Contains(text, "option http-server-close\n") {
			t.Fatal("the option is not there")
		}
		return strings.ReplaceAll(text, "option http-server-close\n", "\n")
	}
	if failed, sent := posts(t, balancedTo(t, without)); failed == 0 {
		t.Errorf("none of %d POSTs failed without the option: this test proves nothing any more", sent)
	}
}

// balancedTo starts HAProxy before a server that closes each connection a moment after its last answer,
// and returns where it listens. edit changes its configuration.
func balancedTo(t *testing.T, edit func(string) string) (address string) {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs haproxy")
	}
	dir, err := os.MkdirTemp("/tmp", "hubledger-haproxy") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	blue, in := free(t), free(t)
	var mu sync.Mutex
	uses := map[net.Conn]int{}
	s := &http.Server{Addr: "127.0.0.1:" + strconv.Itoa(blue), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }),
		ConnState: func(c net.Conn, now http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			uses[c]++
			if n := uses[c]; now == http.StateIdle {
				time.AfterFunc(time.Duration(rand.Intn(4000))*time.Microsecond, func() {
					mu.Lock()
					defer mu.Unlock()
					if uses[c] == n {
						c.Close()
					}
				})
			}
		}}
	go s.ListenAndServe()
	t.Cleanup(func() { s.Close() })
	text, err := balancer.Config(balancer.Settings{Application: "admin/shop", Environment: "production", Services: []balancer.Web{{Name: "web", Blue: blue, Green: free(t), Probe: "/"}},
		Hosts: []balancer.Host{{Name: "web1", Address: "127.0.0.1"}}, Responder: free(t), Socket: filepath.Join(dir, "sock"), State: filepath.Join(dir, "state"), Listen: in})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "haproxy.cfg"), edit(text), 0o644)
	write(t, filepath.Join(dir, "state"), "1\n", 0o644)
	c := exec.Command("haproxy", "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	address = fmt.Sprintf("http://127.0.0.1:%d/", in)
	for end, streak := time.Now().Add(time.Minute), 0; streak < 20; time.Sleep(50 * time.Millisecond) { // until the checks have found that green is not there
		resp, err := http.Get(address)
		streak++
		if err != nil || resp.StatusCode != 200 {
			streak = 0
		}
		if err == nil {
			resp.Body.Close()
		}
		if time.Now().After(end) {
			t.Fatalf("HAProxy does not answer: %v", err)
		}
	}
	return address
}

// posts sends POSTs for two seconds, eight at once, over connections that are used again.
func posts(t *testing.T, address string) (failed, sent int64) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var bad, all atomic.Int64
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for ctx.Err() == nil {
				all.Add(1)
				resp, err := client.Post(address, "text/plain", strings.NewReader("order"))
				if err == nil {
					text, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					if resp.StatusCode != 200 || string(text) != "order" {
						err = fmt.Errorf("%s: %s", resp.Status, text)
					}
				}
				if err != nil && bad.Add(1) == 1 {
					t.Log("the first that failed: ", err)
				}
				time.Sleep(time.Duration(rand.Intn(3000)) * time.Microsecond)
			}
		})
	}
	work.Wait()
	return bad.Load(), all.Load()
}
