package cmd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/cmd/console"
)

// The first Ctrl-C says what it waits for, and the second does not wait.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	h := startHub(t)
	conn, err := net.Dial("tcp", h.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A request whose body goes on: the hub waits for it when it stops. It says that it
	// reads the body.
	if _, err := fmt.Fprint(conn, "POST /token HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("the hub answers %q, %v", line, err)
	}
	waits := "stopping: waiting for requests that have begun"
	h.Cmd.Process.Signal(syscall.SIGINT)
	for range 600 { // a minute, which only ends a test that hangs
		if strings.Contains(h.Log(), waits) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if log := h.Log(); !strings.Contains(log, waits) || !strings.Contains(log, "a second Ctrl-C ends the hub at once") {
		t.Fatalf("the log says\n%s", log)
	}
	h.Cmd.Process.Signal(syscall.SIGINT)
	<-h.gone
	if status := h.Cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %s", h.Cmd.ProcessState)
	}
}

// While a hub ends its last requests it says that it is not ready.
func TestNotReadyWhileStopping(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	begin, err := http.NewRequest("POST", h.URL+"/v2/admin/app/blobs/uploads/", nil)
	if err != nil {
		t.Fatal(err)
	}
	begin.SetBasicAuth("admin", adminPassword)
	begun, err := http.DefaultClient.Do(begin)
	if err != nil || begun.StatusCode != http.StatusAccepted {
		t.Fatalf("begin an upload: %v %v", begun, err)
	}
	begun.Body.Close()
	at, err := begun.Location()
	if err != nil {
		t.Fatal(err)
	}
	// The hub reads the body of this request to its end before it answers.
	body, upload := io.Pipe()
	req, err := http.NewRequest("PATCH", at.String(), body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", adminPassword)
	req.Header.Set("Expect", "100-continue") // the body is sent when the hub reads it
	client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := upload.Write(make([]byte, 1<<20)); err != nil { // it has begun
		t.Fatal(err)
	}
	h.Cmd.Process.Signal(os.Interrupt)
	stdout, stderr, code := h.Run("status")
	for ; code == console.ExitOK; stdout, stderr, code = h.Run("status") {
		// the signal is on its way
	}
	if code != console.ExitFail || !strings.Contains(stdout, "stopping") || !strings.Contains(stderr, "not ready") {
		t.Errorf("status: %d\n%s%s", code, stdout, stderr)
	}
	upload.Close()
	<-done
	<-h.gone
}
