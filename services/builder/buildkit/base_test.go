package buildkit_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
)

// A base image with a short name comes from the hub, where it is one of the top level.
func TestTopLevelBase(t *testing.T) {
	w := newWorld(t)
	w.pushTool("library/tool", "latest", "amd64")
	w.run(w.spec("FROM tool\nRUN echo hello\n")).succeeds(t)
	w.run(w.spec("FROM docker.io/library/tool:latest\nRUN echo hello\n")).succeeds(t)
}

// A build may call the hub by each of its names, and what it was made from is known.
func TestNamesOfTheHub(t *testing.T) {
	var names []string
	w := newWorld(t, func(c *caged.Config) {
		c.Aliases = []string{strings.Replace(c.Registry, "127.0.0.1", "localhost", 1), "hub.example.com", "10.9.8.7:5000", c.Registry, "[2001:db8::1]:80"}
		names = append([]string{c.Registry}, c.Aliases[:3]...)
	})
	for _, name := range names {
		s := w.spec("FROM " + name + "/admin/base:1\nRUN echo hello\n")
		s.Image = w.name + "/admin/app"
		got := w.run(s).succeeds(t)
		if b := got.result.Bases; len(b) != 1 || b[0].Name != name+"/admin/base:1" || b[0].Repository != "admin/base" || b[0].Tag != "1" {
			t.Errorf("made from %+v", b)
		}
		w.run(w.spec("FROM "+name+"/admin/none:1\n")).fails(t, driver.BaseImage, "which has no admin/none:1 that this build may pull")
	}
}

// Builds run side by side and do not see each other; one id is one build.
func TestBuildsSideBySide(t *testing.T) {
	w := newWorld(t)
	var wait sync.WaitGroup
	for n := range 3 {
		s := w.spec(fromBase + fmt.Sprintf("RUN echo build %d\n", n))
		b, err := w.driver.Prepare(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.driver.Prepare(t.Context(), s); err == nil {
			t.Error("two builds have one id")
		}
		wait.Go(func() {
			var got told
			got.result, got.err = b.Run(t.Context(), got.take)
			if want := fmt.Sprintf("build %d\n", n); got.err != nil || got.log != want {
				t.Errorf("%v, %q, want %q", got.err, got.log, want)
			}
			if err := b.Destroy(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	w.nothingLeft()
}

// A build says which images it was made from, and as what they were asked for: each
// way to take files from an image counts, and no command that looks like one. What no
// stage needs is not there.
func TestBases(t *testing.T) {
	w := newWorld(t)
	w.pushTool("library/tool", "latest", "amd64")
	d := w.push("admin/data", "v1", "amd64", emptyLayer).Digest().String()
	digestOf := func(repository, tag string) string {
		got, err := w.client.Pull(repository, tag)
		if err != nil {
			t.Fatal(err)
		}
		return got.String()
	}
	tool, base := digestOf("library/tool", "latest"), digestOf("admin/base", "1")
	for name, c := range map[string]struct {
		dockerfile string
		platforms  []string
		want       []events.BuildBase
	}{
		"scratch": {"FROM scratch\nCOPY Dockerfile /\n", nil, nil},
		"every way": {"ARG B=tool\nFROM REGISTRY/admin/data:v1 AS never\nFROM $B AS linux\nCOPY --from=REGISTRY/admin/data:v1 Dockerfil[e] /t\n" +
			"RUN --mount=type=bind,from=REGISTRY/admin/base:1,target=/x echo [1/2] FROM a/b@" + d + "\n", nil, []events.BuildBase{
			{Name: "REGISTRY/admin/base:1", Digest: base, Repository: "admin/base", Tag: "1"},
			{Name: "REGISTRY/admin/data:v1", Digest: d, Repository: "admin/data", Tag: "v1"},
			{Name: "docker.io/library/tool:latest", Digest: tool, Repository: "library/tool", Tag: "latest"}}},
		"nothing but a base": {"FROM tool\n", nil, []events.BuildBase{{Name: "docker.io/library/tool:latest", Digest: tool, Repository: "library/tool", Tag: "latest"}}},
		"pinned": {"FROM tool:latest@" + tool + "\nCOPY --from=REGISTRY/admin/base@" + base + " /tool /t\n", nil, []events.BuildBase{
			{Name: "REGISTRY/admin/base@" + base, Digest: base, Repository: "admin/base"}, {Name: "docker.io/library/tool:latest@" + tool, Digest: tool, Repository: "library/tool"}}},
		"platforms": {"FROM REGISTRY/admin/data:v1 AS b\nCOPY Dockerfile /\n", []string{"linux/amd64", "linux/arm64"}, []events.BuildBase{
			{Name: "REGISTRY/admin/data:v1", Digest: d, Platform: "linux/amd64", Repository: "admin/data", Tag: "v1"},
			{Name: "REGISTRY/admin/data:v1", Digest: d, Platform: "linux/arm64", Repository: "admin/data", Tag: "v1"}}},
	} {
		s := w.spec(c.dockerfile)
		s.Image, s.Platforms = w.name+"/admin/app", c.platforms
		got := w.run(s).succeeds(t)
		for k := range c.want {
			c.want[k].Name = strings.ReplaceAll(c.want[k].Name, "REGISTRY", w.name)
		}
		if !reflect.DeepEqual(got.result.Bases, c.want) {
			t.Errorf("%s: made from %+v\nwant %+v", name, got.result.Bases, c.want)
		}
	}
}

// emptyLayer is a tar archive without files.
var emptyLayer = strings.Repeat("\x00", 1024)
