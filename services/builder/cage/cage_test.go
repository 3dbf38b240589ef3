package cage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
)

// As daemon, the test makes the socket that says it is ready.
const daemon = "/cage-test-daemon"

func TestMain(m *testing.M) {
	if cage.Inside() {
		cage.Main()
	}
	if os.Args[0] == daemon {
		fmt.Fprintln(os.Stderr, "the daemon runs")
		if len(os.Args) > 1 {
			os.Exit(9)
		}
		if l, err := net.Listen("unix", "/run/ready"); err == nil {
			for {
				l.Accept()
			}
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// missing ends a test that needs what is not there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

type outcome struct {
	exit           cage.Exit
	out, log       string
	startErr, exec error
}

// in runs a command of sh in a cage. The socket answers with a greeting.
func in(t testing.TB, command string, change ...func(*cage.Config)) outcome {
	t.Helper()
	return inWith(t, t.Context(), command, change...)
}

func inWith(t testing.TB, ctx context.Context, command string, change ...func(*cage.Config)) (o outcome) {
	t.Helper()
	return inServed(t, ctx, func(c net.Conn) {
		io.WriteString(c, "greetings of "+c.LocalAddr().String()+"\n")
		c.Close()
	}, command, change...)
}

// inServed runs a command whose connections are served by a function.
func inServed(t testing.TB, ctx context.Context, serve func(net.Conn), command string, change ...func(*cage.Config)) (o outcome) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "cages are made by root")
	}
	if _, err := os.Stat(cage.Mkfs()); err != nil {
		missing(t, "mkfs.ext4 is not installed: apt install e2fsprogs")
	}
	g, err := cgroup.New(fmt.Sprintf("cagetest-%d-%d", os.Getpid(), time.Now().UnixNano()), cgroup.Limits{CPU: 1, Memory: 256 << 20, PIDs: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "root"), 0o700); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	c := cage.Config{Dir: dir, Disk: 32 << 20, Group: g, Listen: []string{"127.0.0.1:5000", "127.0.0.1:6000"}, Hosts: []string{"hub.example.com"},
		Binds: map[string]string{daemon: self}, Files: map[string][]byte{"/run/secrets/one": []byte("planted")},
		Daemon: []string{daemon}, Program: []string{"/bin/sh", "-c", command}, Ready: "/run/ready", Result: "/run/result",
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Stdout: &out, Stderr: &out, DaemonLog: &log}
	for _, f := range change {
		f(&c)
	}
	running, err := cage.Start(ctx, c)
	if err != nil {
		return outcome{startErr: err}
	}
	for _, l := range running.Listeners {
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go serve(conn)
			}
		}()
	}
	o.exit, o.exec = running.Wait()
	o.out, o.log = out.String(), log.String()
	return o
}

// asDaemon lets the test itself be the daemon.
func asDaemon(args ...string) func(*cage.Config) {
	return func(c *cage.Config) { c.Daemon = append([]string{daemon}, args...) }
}

// Programs see what was made for them, and nothing of the machine.
func TestInside(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("planted"), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{ // the whole output, or its end
		"ls /home /var /etc/shadow /opt /srv /mnt 2>&1 | grep -v 'No such' | wc -l": "0\n",
		"ls /etc | grep -v ^ld.so | tr '\n' ' '":                                    "alternatives hosts ",
		"cat " + secret + " 2>&1":                                                   "No such file or directory\n",
		"ls / | tr '\n' ' ' | grep -c 'home\\|old\\|var'":                           "0\n",
		"cat /run/secrets/one; stat -c %a /run/secrets/one":                         "planted600\n",
		"set -- /proc/[0-9]*; echo $#":                                              "3\n", // the first one, the daemon and the shell
		"tail -n +3 /proc/net/dev | cut -d: -f1":                                    " lo\n",
		"echo x 2>&1 > /usr/x":                                                      "Read-only file system\n",
		"echo x 2>&1 > /proc/sys/kernel/hostname":                                   "Read-only file system\n",
		"mknod /disk/sda b 8 0 && cat /disk/sda 2>&1":                               "Permission denied\n",
		"mknod /tmp/sda b 8 0 && cat /tmp/sda 2>&1":                                 "Permission denied\n",
		"mknod /run/sda b 8 0 && cat /run/sda 2>&1":                                 "Permission denied\n",
		"grep 'core file' /proc/self/limits | tr -s ' '":                            "Max core file size 1 1 bytes \n",
		"hostname":            "build\n",
		"grep hub /etc/hosts": "127.0.0.1 hub.example.com\n",
		"echo x > /tmp/x && echo y > /disk/y && cat /disk/tmp/x /disk/y":                           "x\ny\n",
		"dd if=/dev/zero of=/disk/x bs=1M 2>&1 | head -n 1":                                        "No space left on device\n",
		"dd if=/dev/zero of=/run/x bs=1M 2>&1 | head -n 1":                                         "No space left on device\n",
		"ls /sys/fs/cgroup/*/hubledger-builds /sys/fs/cgroup/hubledger-builds 2>/dev/null | wc -l": "0\n",
		"cut -d: -f3 /proc/self/cgroup | grep -vxc -e / -e /daemon":                                "0\n",
		"echo x > /dev/null && head -c 1 /dev/zero | wc -c":                                        "1\n",
	} {
		o := in(t, command)
		if !strings.HasSuffix(o.out, want) || want == "" || o.startErr != nil || o.exit.Error != "" {
			t.Errorf("%s: %+v", command, o)
		}
	}
}

// The socket inside is served outside, and there is no other way.
func TestNetwork(t *testing.T) {
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	_, port, _ := net.SplitHostPort(outside.Addr().String())
	if _, err := exec.LookPath("bash"); err != nil {
		missing(t, "bash is not installed")
	}
	for address, want := range map[string]string{"127.0.0.1/5000": "greetings of 127.0.0.1:5000", "127.0.0.1/6000": "greetings of 127.0.0.1:6000", "hub.example.com/5000": "greetings", "localhost/5000": "greetings",
		"127.0.0.1/" + port: "refused", "93.184.216.34/80": "unreachable", "10.0.0.1/80": "unreachable", "169.254.169.254/80": "unreachable"} {
		o := in(t, "exec bash -c 'cat < /dev/tcp/"+address+"'")
		if !strings.Contains(o.out, want) {
			t.Errorf("%s: %+v", address, o)
		}
	}
	o := in(t, "exec bash -c 'cat < /dev/tcp/10.9.8.7/80; cat < /dev/tcp/hub.example.com/80'", func(c *cage.Config) { c.Listen = []string{"10.9.8.7:80"} })
	if strings.Count(o.out, "greetings") != 2 {
		t.Errorf("an address that is not of loopback: %+v", o)
	}
	if o := in(t, "true", func(c *cage.Config) { c.Listen = []string{"[2001:db8::1]:80"} }); o.startErr == nil || !strings.Contains(o.startErr.Error(), "2001:db8::1") {
		t.Errorf("an address of IPv6: %+v", o)
	}
}

// Programs that open more connections than are served make the others wait, and are served
// again when they close them.
func TestConnections(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		missing(t, "bash is not installed")
	}
	open, most := 0, 0
	var mu sync.Mutex
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		open += n
		most = max(most, open)
	}
	o := inServed(t, t.Context(), func(c net.Conn) {
		count(1)
		io.WriteString(c, "greetings\n")
		io.Copy(io.Discard, c)
		count(-1) // before the next one may have its place
		c.Close()
	}, fmt.Sprintf(`exec bash -c 'ulimit -n 2000; for k in {1..%d}; do exec {fd}<>/dev/tcp/127.0.0.1/5000 || exit; done
		read -t 0.2 -u $fd || echo the last one waits
		for ((k = fd; k > fd - 200; k--)); do exec {k}<&-; done
		exec {fd}<>/dev/tcp/127.0.0.1/5000; read -u $fd line; echo $line'`, cage.MaxConnections+100))
	if o.out != "the last one waits\ngreetings\n" {
		t.Errorf("%+v", o)
	}
	mu.Lock()
	defer mu.Unlock()
	if most != cage.MaxConnections {
		t.Errorf("%d connections were served at once", most)
	}
}

// How the programs end is told, with the result.
func TestExit(t *testing.T) {
	if o := in(t, "echo done > /run/result; exit 7"); o.exit.Code != 7 || string(o.exit.Result) != "done\n" || !strings.Contains(o.log, "the daemon runs") {
		t.Errorf("%+v", o)
	}
	if o := in(t, "kill -9 $$"); o.exit.Code != 137 || o.exit.Result != nil {
		t.Errorf("%+v", o)
	}
	if o := in(t, "kill -9 $(pidof "+daemon[1:]+" || echo 2); sleep 1; exit 3"); o.exit.Code != 3 || o.exit.Daemon != "signal: killed" {
		t.Errorf("%+v", o)
	}
	if o := in(t, "true", asDaemon("fail")); o.exit.Code != 125 || !strings.Contains(o.exit.Error, "exit status 9") {
		t.Errorf("%+v", o)
	}
	if o := in(t, "true", func(c *cage.Config) { c.Program = []string{"/none"} }); !strings.Contains(o.exit.Error, "start the program") {
		t.Errorf("%+v", o)
	}
	if o := in(t, "true", func(c *cage.Config) { c.Dir = "/none" }); o.startErr == nil {
		t.Errorf("%+v", o)
	}
	if o := in(t, "true", func(c *cage.Config) { c.Binds["/x"] = "/none" }); o.startErr != nil {
		t.Errorf("a bind of what is not there: %+v", o)
	}
}

// A cage ends with the context that it was started in, or when it is killed.
func TestKill(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("no more"))
	o := inWith(t, ctx, "true")
	if o.startErr == nil || !strings.Contains(o.startErr.Error(), "no more") {
		t.Errorf("%+v", o)
	}
}
