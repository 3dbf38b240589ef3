package dockerd_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"hubledger/services/builder/driver"
)

// What a hook may not do ends it, in bounds and with the true reason.
func TestHostileHooks(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, hook string
		change     func(*driver.Spec)
		kind       driver.Kind
		part       string
	}{
		{name: "fork bomb", hook: "for n in $(seq 400); do sleep 100 & done\n", kind: driver.Processes, part: "150",
			change: func(s *driver.Spec) { s.Limits.PIDs = 150 }},
		{name: "disk filler", hook: "dd if=/dev/zero of=/disk/src/x bs=1M\n", kind: driver.DiskFull, part: "256 MiB"},
		{name: "memory", hook: "exec dd if=/dev/zero of=/dev/null bs=2G\n", kind: driver.Memory, part: "512 MiB"},
		{name: "hang", hook: "trap '' TERM\nsetsid sleep 1000 &\nwhile true; do sleep 1; done\n", kind: driver.IdleLimit, part: "2s",
			change: func(s *driver.Spec) { s.Limits.Idle = 2 * time.Second }},
		{name: "kills all", hook: "kill -9 -1\n", kind: driver.StepFailed, part: ""},
		{name: "kills the engine", hook: "kill -9 $(cat /run/docker.pid)\nsleep 1\nexit 1\n", kind: driver.Broken, part: "engine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			s := w.spec("Dockerfile", fromBase, "hooks/pre_build", "#!/bin/sh\n"+c.hook)
			if c.change != nil {
				c.change(&s)
			}
			got := w.run(s)
			if c.name == "kills all" { // who was first is chance
				if got.err == nil {
					t.Error("it succeeded")
				}
				return
			}
			got.fails(t, c.kind, c.part)
		})
	}
}

// A hook that owns the engine reaches nothing of the machine and of the hub but the
// repositories that the build may use.
func TestHooksReachNothing(t *testing.T) {
	w := newWorld(t)
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	_, port, _ := net.SplitHostPort(outside.Addr().String())
	hook := `#!/bin/bash
refused() { if "$@" > /tmp/out 2>&1; then echo "REACHED: $*"; cat /tmp/out; else echo "refused: $*"; fi; }
refused ls ` + w.dir + `
refused cat /etc/shadow
refused ls /var/lib/docker
refused bash -c 'exec 3<> /dev/tcp/127.0.0.1/` + port + `'
refused bash -c 'exec 3<> /dev/tcp/93.184.216.34/80'
refused bash -c 'exec 3<> /dev/tcp/169.254.169.254/80'
refused curl -sf http://REGISTRY/api/v1/users
refused curl -sf http://REGISTRY/metrics
refused curl -sf http://REGISTRY/v2/admin/app/tags/list
refused mknod /tmp/sda b 8 0
refused mount -o remount,rw /usr
refused sh -c 'echo b > /proc/sysrq-trigger'
refused sh -c 'echo 1 > /proc/sys/vm/drop_caches'
refused sh -c 'f=/sys/fs/cgroup/memory/memory.limit_in_bytes; [ -e $f ] || f=/sys/fs/cgroup/memory.max; [ -e $f ] && echo 99999999999 > $f'
refused docker run --rm --privileged -v /:/machine REGISTRY/admin/base:1 /tool write /machine/usr/x y
refused docker run --rm --privileged --pid host --network host REGISTRY/admin/base:1 /tool dial 127.0.0.1:` + port + `
refused docker push REGISTRY/admin/base:1
refused docker run --rm REGISTRY/admin/base:1 /tool dial 172.17.0.1:$(echo ${DOCKER_REPO%%/*} | cut -d: -f2)
test "$(docker -H unix:///var/run/docker.sock info -f '{{.DockerRootDir}}')" = /disk/docker && echo own engine
find / -xdev -name '*.sock' 2>/dev/null
echo done
`
	got := w.run(w.spec("Dockerfile", fromBase, "hooks/pre_build", hook)).succeeds(t)
	if strings.Contains(got.log, "REACHED") || strings.Count(got.log, "refused: ") != 18 || !strings.Contains(got.log, "own engine\n") || !strings.Contains(got.log, "done\n") {
		t.Errorf("the log is:\n%s", got.log)
	}
	if strings.Contains(got.log, "admin.sock") {
		t.Errorf("a socket of the hub is there:\n%s", got.log)
	}
}

// A build is cancelled at once, whatever its hook, its containers and their processes
// do about signals.
func TestCancelHooks(t *testing.T) {
	w := newWorld(t)
	b, err := w.driver.Prepare(t.Context(), w.spec("Dockerfile", fromBase,
		"hooks/pre_build", "#!/bin/bash\ntrap '' TERM INT HUP\nsetsid sleep 1000 &\ndocker run -d REGISTRY/admin/base:1 /tool hang twice\necho ready\nwhile true; do sleep 1; done\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got told
	got.result, got.err = b.Run(t.Context(), func(e driver.Event) {
		if got.take(e); strings.Contains(got.log, "ready\n") {
			b.Cancel()
		}
	})
	got.fails(t, driver.Cancelled, "")
	if err := b.Destroy(); err != nil {
		t.Error(err)
	}
	w.nothingLeft()
}
