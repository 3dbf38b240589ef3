package buildkit_test

import (
	"archive/tar"
	"bytes"
	"context"
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

	"hubledger/services/builder/buildkit"
	"hubledger/services/builder/cage"
	"hubledger/services/builder/caged"
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
	if text := os.Getenv(victimOrders); text != "" {
		os.Exit(victim(text))
	}
	code := m.Run()
	if toolDir != "" {
		os.RemoveAll(toolDir)
	}
	os.Exit(code)
}

// tools finds the programs that builds need, or skips the test; with
// HUBLEDGER_REQUIRE=1 it fails.
func tools(t testing.TB) buildkit.Tools {
	t.Helper()
	found := buildkit.FindTools(filepath.Join("..", "..", "..", ".tmp", "bin"))
	if err := found.Check(); err != nil {
		missing(t, err.Error())
	}
	return found
}

// missing ends a test that needs what is not there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

var toolDir string

// toolProgram is the static program that test images hold.
var toolProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tool")
	if err != nil {
		return nil, err
	}
	toolDir = dir
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(dir, "tool"), "./testdata/tool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "tool"))
})

// A world is a hub, and a driver whose registry it is.
type world struct {
	t      testing.TB
	hub    *servertest.Server
	client *registrytest.Client
	name   string // of the registry
	dir    string // the driver's
	config caged.Config
	tools  buildkit.Tools
	driver *caged.Driver
}

// newWorld has a hub with an image of the tool, admin/base:1.
func newWorld(t testing.TB, change ...func(*caged.Config)) *world {
	t.Helper()
	found := tools(t)
	w := &world{t: t, tools: found, hub: servertest.Start(t, server.Config{}), dir: filepath.Join(t.TempDir(), "builds")}
	w.client = w.hub.Client()
	w.name = strings.TrimPrefix(w.hub.URL, "http://")
	hub, err := url.Parse(w.hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.config = caged.Config{Dir: w.dir, Hub: hub, Registry: w.name, Logger: slog.New(slog.DiscardHandler),
		Credentials: func(driver.Spec) relay.Credentials { return credentials{w} }}
	if testing.Verbose() {
		w.config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for _, c := range change {
		c(&w.config)
	}
	w.driver = w.open()
	w.pushTool("admin/base", "1", "amd64")
	return w
}

func (w *world) open() *caged.Driver {
	w.t.Helper()
	d, err := buildkit.New(w.config, w.tools)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { d.Close() })
	return d
}

// credentials asks the hub for tokens as the administrator.
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
	var got struct {
		Token   string
		Expires int `json:"expires_in"`
	}
	if err := errors.Join(a.Is(http.StatusOK), unmarshal(a.Body, &got)); err != nil {
		return "", time.Time{}, err
	}
	return got.Token, time.Now().Add(time.Duration(got.Expires) * time.Second), nil
}

// pushTool pushes an image whose /tool and /bin/sh are the tool.
func (w *world) pushTool(repository, tag, architecture string) {
	w.t.Helper()
	program, err := toolProgram()
	if err != nil {
		w.t.Fatal(err)
	}
	w.pushProgram(repository, tag, architecture, program)
}

// pushProgram is pushTool with another program, and what a container of it runs.
func (w *world) pushProgram(repository, tag, architecture string, program []byte, entrypoint ...string) *registrytest.Image {
	w.t.Helper()
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	for _, h := range []tar.Header{{Name: "tmp", Typeflag: tar.TypeDir, Mode: 0o777}, {Name: "bin", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "tool", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(program))}, {Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: "/tool"}} {
		if err := files.WriteHeader(&h); err != nil {
			w.t.Fatal(err)
		}
		if h.Size > 0 {
			files.Write(program)
		}
	}
	files.Close()
	return w.push(repository, tag, architecture, layer.String(), entrypoint...)
}

// push pushes an image of one layer.
func (w *world) push(repository, tag, architecture, layer string, entrypoint ...string) *registrytest.Image {
	w.t.Helper()
	config := v1.Image{Platform: v1.Platform{OS: "linux", Architecture: architecture}, Config: v1.ImageConfig{Entrypoint: entrypoint},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(layer)}}}
	text := string(registrytest.JSON(config))
	m := registrytest.With(func(m *v1.Manifest) {
		m.Config = v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromString(text), Size: int64(len(text))}
		m.Layers = []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: digest.FromString(layer), Size: int64(len(layer))}}
	})
	m.Blobs = []string{text, layer}
	return w.client.MustPush(w.t, repository, tag, m)
}

// checkout writes files to a directory: their paths and contents.
func checkout(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for k := 0; k+1 < len(files); k += 2 {
		path := filepath.Join(dir, files[k])
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(files[k+1]), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small are the limits of tests.
var small = driver.Limits{CPU: 1, Memory: 512 << 20, Disk: 64 << 20, PIDs: 200, Time: 2 * time.Minute, Idle: time.Minute, Log: 1 << 20}

// spec builds a Dockerfile, in which REGISTRY is replaced by the hub's name.
func (w *world) spec(dockerfile string, files ...string) driver.Spec {
	w.t.Helper()
	dir := checkout(w.t, append(files, "Dockerfile", strings.ReplaceAll(dockerfile, "REGISTRY", w.name))...)
	return driver.Spec{ID: "b" + strings.ToLower(fmt.Sprint(time.Now().UnixNano())), Checkout: dir, Limits: small}
}

// A told is what a build has told.
type told struct {
	events []driver.Event
	log    string
	result driver.Result
	err    error
}

// run builds and destroys, and looks for what is left.
func (w *world) run(s driver.Spec) told {
	w.t.Helper()
	b, err := w.driver.Prepare(w.t.Context(), s)
	if err != nil {
		return told{err: err}
	}
	var got told
	got.result, got.err = b.Run(w.t.Context(), got.take)
	if err := errors.Join(b.Destroy(), b.Destroy()); err != nil {
		w.t.Errorf("destroy: %v", err)
	}
	w.nothingLeft()
	if testing.Verbose() {
		w.t.Logf("%+v, %v\n%s", got.result, got.err, got)
	}
	return got
}

func (g *told) take(e driver.Event) {
	g.events = append(g.events, e)
	g.log += string(e.Data)
}

func (g told) String() (text string) {
	for _, e := range g.events {
		text += fmt.Sprintf("%s %d %s %s%s", e.Kind, e.Step, e.Name, e.Text, e.Data)
		if e.Kind != driver.Log {
			text += "\n"
		}
	}
	return text
}

// fails wants a failure of a kind whose text has a part.
func (g told) fails(t testing.TB, kind driver.Kind, part string) *driver.Failure {
	t.Helper()
	var f *driver.Failure
	if !errors.As(g.err, &f) || f.Kind != kind || !strings.Contains(f.Text, part) {
		t.Fatalf("got %v, want %s with %q\n%s", g.err, kind, part, g)
	}
	return f
}

func (g told) succeeds(t testing.TB) told {
	t.Helper()
	if g.err != nil {
		t.Fatalf("%v\n%s", g.err, g)
	}
	return g
}
