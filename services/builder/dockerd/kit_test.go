package dockerd_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/dockerd"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

func TestMain(m *testing.M) {
	if cage.Inside() {
		cage.Main()
	}
	if dockerd.Inside() {
		dockerd.Main()
	}
	if text := os.Getenv(victimOrders); text != "" {
		os.Exit(victim(text))
	}
	os.Exit(m.Run())
}

// A world is a hub, and a driver whose registry it is. The hub has an image of the
// tool of the driver of BuildKit, admin/base:1.
type world struct {
	t      *testing.T
	client *registrytest.Client
	name   string // of the registry
	dir    string // the driver's
	config caged.Config
	tools  dockerd.Tools
	driver *caged.Driver
	image  *registrytest.Image // admin/base:1
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tools := dockerd.FindTools(filepath.Join("..", "..", "..", ".tmp", "bin"))
	if err := tools.Check(); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	hub := servertest.Start(t, server.Config{})
	at, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, tools: tools, client: hub.Client(), name: at.Host, dir: filepath.Join(t.TempDir(), "builds")}
	w.config = caged.Config{Hub: at, Registry: w.name, Logger: slog.New(slog.DiscardHandler), Credentials: func(driver.Spec) relay.Credentials { return credentials{w} }}
	if testing.Verbose() {
		w.config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.open()
	w.pushBase()
	return w
}

// open makes a driver on the present directory.
func (w *world) open() {
	w.t.Helper()
	w.config.Dir = w.dir
	d, err := dockerd.New(w.config, w.tools)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { d.Close() })
	w.driver = d
}

type credentials struct{ *world }

func (c credentials) Token(_ context.Context, repository string, push bool) (string, time.Time, error) {
	actions := "pull"
	if push {
		actions = "pull,push"
	}
	a, err := c.client.Do("GET", "/token?service="+url.QueryEscape(c.name)+"&scope=repository:"+repository+":"+actions, nil)
	if err != nil {
		return "", time.Time{}, err
	}
	var got struct{ Token string }
	err = errors.Join(a.Is(http.StatusOK), json.Unmarshal(a.Body, &got))
	return got.Token, time.Now().Add(time.Minute), err
}

var toolProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tool")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "tool"), "../buildkit/testdata/tool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "tool"))
})

func (w *world) pushBase() {
	w.t.Helper()
	tool, err := toolProgram()
	if err != nil {
		w.t.Fatal(err)
	}
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	for _, h := range []tar.Header{{Name: "tmp", Typeflag: tar.TypeDir, Mode: 0o777}, {Name: "bin", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "tool", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(tool))}, {Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: "/tool"}} {
		if err := files.WriteHeader(&h); err != nil {
			w.t.Fatal(err)
		}
		if h.Size > 0 {
			files.Write(tool)
		}
	}
	files.Close()
	config := string(registrytest.JSON(v1.Image{Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer.Bytes())}}}))
	m := registrytest.With(func(m *v1.Manifest) {
		m.Config = v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromString(config), Size: int64(len(config))}
		m.Layers = []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: digest.FromBytes(layer.Bytes()), Size: int64(layer.Len())}}
	})
	m.Blobs = []string{config, layer.String()}
	w.image = w.client.MustPush(w.t, "admin/base", "1", m)
}

const fromBase = "FROM REGISTRY/admin/base:1\n"

// spec builds files, in which REGISTRY is replaced by the hub's name, and pushes
// them to admin/app.
func (w *world) spec(files ...string) driver.Spec {
	w.t.Helper()
	dir := w.t.TempDir()
	for k := 0; k+1 < len(files); k += 2 {
		path := filepath.Join(dir, files[k])
		text := strings.ReplaceAll(files[k+1], "REGISTRY", w.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			w.t.Fatal(err)
		}
	}
	return driver.Spec{ID: fmt.Sprint("b", time.Now().UnixNano()), Checkout: dir, Image: w.name + "/admin/app",
		Limits: driver.Limits{CPU: 2, Memory: 512 << 20, Disk: 256 << 20, PIDs: 400, Time: 3 * time.Minute, Idle: time.Minute, Log: 1 << 20},
		Facts: driver.Facts{Repository: w.name + "/admin/app", Tags: []string{"1.0", "latest"}, Ref: "refs/tags/v1.0", Commit: strings.Repeat("c0ffee", 6) + "0123",
			Message: "a message\nof two lines", Tests: true}}
}

// A told is what a build has told.
type told struct {
	events []driver.Event
	steps  []string // names of those that ended well
	log    string
	result driver.Result
	err    error
}

func (g *told) take(e driver.Event) {
	g.events = append(g.events, e)
	g.log += string(e.Data)
	if e.Kind == driver.Ended {
		for _, began := range g.events {
			if began.Kind == driver.Began && began.Step == e.Step {
				g.steps = append(g.steps, began.Name)
			}
		}
	}
}

func (w *world) run(s driver.Spec) (got told) {
	w.t.Helper()
	b, err := w.driver.Prepare(w.t.Context(), s)
	if err != nil {
		return told{err: err}
	}
	got.result, got.err = b.Run(w.t.Context(), got.take)
	if err := errors.Join(b.Destroy(), b.Destroy()); err != nil {
		w.t.Errorf("destroy: %v", err)
	}
	w.nothingLeft()
	if testing.Verbose() {
		w.t.Logf("%+v, %v: %q\n%s", got.result, got.err, got.steps, got.log)
	}
	return got
}

// fails wants a failure of a kind whose text has a part.
func (g told) fails(t *testing.T, kind driver.Kind, part string) *driver.Failure {
	t.Helper()
	var f *driver.Failure
	if !errors.As(g.err, &f) || f.Kind != kind || !strings.Contains(f.Text, part) {
		t.Fatalf("got %v, want %s with %q\n%s", g.err, kind, part, g.log)
	}
	return f
}

func (g told) succeeds(t *testing.T) told {
	t.Helper()
	if g.err != nil {
		t.Fatalf("%v\n%s", g.err, g.log)
	}
	return g
}

// nothingLeft wants no process, mount, loop device, control group or file of builds.
func (w *world) nothingLeft() {
	w.t.Helper()
	var left []string
	for range 1000 { // the kernel frees some a moment later
		if left = w.left(); len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Errorf("a build left: %s", strings.Join(left, ", "))
}

func (w *world) left() (list []string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), w.dir) {
		list = append(list, fmt.Sprint("a mount ", err))
	}
	backing, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range backing {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), w.dir) {
			list = append(list, "loop device "+file)
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, file := range processes {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "hubledger-builds/"+w.driver.Marker()) {
			list = append(list, "process "+file)
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/hubledger-builds/", "/sys/fs/cgroup/*/hubledger-builds/"} {
		groups, _ := filepath.Glob(pattern + w.driver.Marker() + "*")
		list = append(list, groups...)
	}
	entries, err := os.ReadDir(w.dir)
	for _, e := range entries {
		if e.Name() != "lock" {
			list = append(list, "file "+e.Name())
		}
	}
	if err != nil {
		list = append(list, err.Error())
	}
	return list
}
