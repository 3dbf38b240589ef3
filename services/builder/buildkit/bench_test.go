package buildkit_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hubledger/services/builder/driver"
)

// The same build by the driver and by buildctl alone: with a buildkitd that is
// started for it, and with one that runs already. All push to one hub, and none has
// anything in a cache. Reported are the driver's time and its ratios to the two.
func BenchmarkBuild(b *testing.B) {
	for name, dockerfile := range map[string]string{
		"two-steps": fromBase + "RUN write /message %d\nRUN echo building\nCOPY file /\n",
		"busy":      fromBase + "RUN write /message %d\nRUN work 10s\nCOPY file /\n",
		"minute":    fromBase + "RUN write /message %d\nRUN work 60s\nCOPY file /\n",
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			warm := w.bare(filepath.Join(b.TempDir(), "warm"))
			var ours, cold, running time.Duration
			n := 0
			once := func(sum *time.Duration, build func(s driver.Spec)) {
				n++
				s := w.spec(fmt.Sprintf(dockerfile, n), "file", fmt.Sprint(n))
				s.Image, s.Limits.CPU, s.Limits.Idle = w.name+"/admin/app", 2, s.Limits.Time
				from := time.Now()
				build(s)
				*sum += time.Since(from)
			}
			for b.Loop() {
				once(&ours, func(s driver.Spec) {
					one, err := w.driver.Prepare(b.Context(), s)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := one.Run(b.Context(), func(driver.Event) {}); err != nil {
						b.Fatal(err)
					}
					if err := one.Destroy(); err != nil {
						b.Fatal(err)
					}
				})
				once(&cold, func(s driver.Spec) {
					d := w.bare(filepath.Join(b.TempDir(), "cold"))
					d.build(s)
					d.stop()
				})
				once(&running, warm.build)
			}
			b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/build")
			b.ReportMetric(float64(ours)/float64(cold), "×started")
			b.ReportMetric(float64(ours)/float64(running), "×running")
		})
	}
}

// A bare buildkitd has no cage.
type bare struct {
	w      *world
	dir    string
	daemon *exec.Cmd
}

func (w *world) bare(dir string) *bare {
	w.t.Helper()
	d := &bare{w: w, dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		w.t.Fatal(err)
	}
	config := fmt.Sprintf("[worker.containerd]\nenabled=false\n[worker.oci]\nenabled=true\ngc=false\nsnapshotter=\"overlayfs\"\nbinary=%q\n[registry.%q]\nhttp=true\n", w.tools.Runc, w.name)
	login := fmt.Sprintf(`{"auths":{%q:{"username":%q,"password":%q}}}`, w.name, w.client.User, w.client.Password)
	for file, text := range map[string]string{"toml": config, "config.json": login} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	d.daemon = exec.Command(w.tools.Buildkitd, "--config", filepath.Join(dir, "toml"), "--root", filepath.Join(dir, "root"), "--addr", d.address())
	d.daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.daemon.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(d.stop)
	for {
		if _, err := os.Stat(filepath.Join(dir, "s")); err == nil {
			return d
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (d *bare) address() string { return "unix://" + filepath.Join(d.dir, "s") }

func (d *bare) build(s driver.Spec) {
	d.w.t.Helper()
	cmd := exec.Command(d.w.tools.Buildctl, "--addr", d.address(), "build", "--frontend", "dockerfile.v0", "--progress", "rawjson",
		"--local", "context="+s.Checkout, "--local", "dockerfile="+s.Checkout, "--opt", "force-network-mode=none",
		"--output", "type=image,name="+s.Image+",push=true,push-by-digest=true")
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+d.dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		d.w.t.Fatalf("%v\n%s", err, said.String())
	}
}

func (d *bare) stop() {
	if d.daemon.ProcessState == nil {
		d.daemon.Process.Signal(syscall.SIGTERM)
		d.daemon.Wait()
	}
}
