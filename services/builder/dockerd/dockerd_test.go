package dockerd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/builder/driver"
	"hubledger/services/internal/buildrule"
	"hubledger/services/registry/registrytest"
)

// A build without hooks that was given to this driver is built, and pushed by digest.
func TestDefaultBuild(t *testing.T) {
	w := newWorld(t)
	s := w.spec("Dockerfile", fromBase+"ARG GREETING\nRUN write /message $GREETING\nCOPY file /\n", "file", "content", "a.test.yml", "services: {sut: {image: none}}")
	s.Facts.Tests = false
	s.Args = map[string]string{"GREETING": "hello"}
	got := w.run(s).succeeds(t)
	if !slices.Equal(got.steps, []string{"docker build", "pushing the image"}) {
		t.Errorf("the steps are %q", got.steps)
	}
	if _, err := w.client.Pull("admin/app", got.result.Digest); err != nil {
		t.Error(err)
	}
	if tags := string(w.client.Must(t, "GET", "/v2/admin/app/tags/list", nil).Body); strings.Contains(tags, "1.0") {
		t.Errorf("it has tags: %s", tags)
	}
	want := events.BuildBase{Name: w.name + "/admin/base:1", Digest: w.image.Digest().String(), Repository: "admin/base", Tag: "1"}
	if b := got.result.Bases; len(b) != 1 || b[0] != want {
		t.Errorf("made from %+v", b)
	}
}

// A build is made from all images of the hub that its hooks pull: by a tag, also when that
// names an index, or by a digest. It is not made from what it has pushed itself, nor from
// the image of before that it takes layers from.
func TestBases(t *testing.T) {
	w := newWorld(t)
	pinned := w.image.Digest().String()
	w.client.MustPush(t, "admin/other", "", w.image)
	w.client.MustPush(t, "admin/app", "1.0", w.image)
	child := w.image.Descriptor()
	child.Platform = &v1.Platform{OS: "linux", Architecture: "amd64"}
	w.client.MustPush(t, "admin/index", "", w.image)
	index := w.client.MustPush(t, "admin/index", "1", &registrytest.Image{MediaType: v1.MediaTypeImageIndex,
		Manifest: registrytest.JSON(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{child}})})
	s := w.spec("Dockerfile", "FROM REGISTRY/admin/index:1\nRUN write /made it\n", "hooks/pre_build", "#!/bin/bash\nset -e\ndocker pull -q REGISTRY/admin/other@"+pinned+"\n",
		"hooks/post_push", "#!/bin/bash\nset -e\ndocker rmi $IMAGE_NAME > /dev/null\ndocker pull -q $IMAGE_NAME\n")
	s.Cache = "buildcache"
	got := w.run(s).succeeds(t)
	want := []events.BuildBase{{Name: w.name + "/admin/index:1", Digest: index.Digest().String(), Repository: "admin/index", Tag: "1"},
		{Name: w.name + "/admin/other@" + pinned, Digest: pinned, Repository: "admin/other"}}
	if !slices.Equal(got.result.Bases, want) {
		t.Errorf("made from %+v", got.result.Bases)
	}
}

// All hooks run in Docker Hub's order, in the directory of the Dockerfile, with its
// variables.
func TestHooks(t *testing.T) {
	w := newWorld(t)
	files := []string{"app/Dockerfile", fromBase + "COPY hooks /hooks\n"}
	for _, name := range buildrule.Hooks {
		body := "#!/bin/bash\nset -e\necho \"hook " + name + " in $PWD\"\necho " + name + " >> made\n"
		switch name {
		case "post_checkout":
			body += "for v in SOURCE_BRANCH SOURCE_TYPE SOURCE_COMMIT COMMIT_MSG DOCKER_REPO DOCKERFILE_PATH DOCKER_TAG IMAGE_NAME GIT_SHA1 GIT_MSG BUILD_PATH CACHE_TAG PUSH GREETING; do echo \"$v=${!v}\"; done\ncat /run/secrets/token\n"
		case "build":
			body += "docker build -t $IMAGE_NAME --build-arg x=$GREETING .\n"
		case "test":
			body += "docker run --rm $IMAGE_NAME /tool echo from a container\n"
		case "push":
			body += "docker push $IMAGE_NAME\ndocker tag $IMAGE_NAME $DOCKER_REPO:more\ndocker push $DOCKER_REPO:more\ndocker tag REGISTRY/admin/base:1 $DOCKER_REPO:latest\ndocker push $DOCKER_REPO:latest\n"
		case "post_push":
			body += "docker rmi $IMAGE_NAME > /dev/null; docker pull -q $IMAGE_NAME; cat made | tr '\\n' ' '\n"
		}
		files = append(files, "app/hooks/"+name, body)
	}
	s := w.spec(files...)
	s.Context, s.Facts.Context = "app", "/app/"
	s.Args = map[string]string{"GREETING": "hello", "DOCKER_HOST": "tcp://192.0.2.1:2375"}
	s.Secrets = map[string][]byte{"token": []byte("very-secret")}
	got := w.run(s).succeeds(t)
	var want []string
	for _, name := range buildrule.Hooks {
		want = append(want, "hooks/"+name)
	}
	if !slices.Equal(got.steps, want) {
		t.Errorf("the steps are %q", got.steps)
	}
	for _, part := range []string{"hook post_checkout in /disk/src/app\n", "SOURCE_BRANCH=v1.0\n", "SOURCE_TYPE=Tag\n", "SOURCE_COMMIT=" + s.Facts.Commit + "\n", "COMMIT_MSG=a message\nof two lines\n",
		"DOCKER_REPO=" + w.name + "/admin/app\n", "DOCKERFILE_PATH=Dockerfile\n", "DOCKER_TAG=1.0,latest\n", "IMAGE_NAME=" + w.name + "/admin/app:1.0\n", "GIT_SHA1=" + s.Facts.Commit,
		"BUILD_PATH=/app\n", "CACHE_TAG=\n", "PUSH=true\n", "GREETING=hello\n", "***", "from a container\n", strings.Join(buildrule.Hooks, " ")} {
		if !strings.Contains(got.log, part) {
			t.Errorf("the log has no %q:\n%s", part, got.log)
		}
	}
	var warned string
	for _, e := range got.events {
		if e.Kind == driver.Warned {
			warned += e.Text + "\n"
		}
	}
	if !strings.Contains(warned, "the tag latest was pushed as another image") || !strings.Contains(warned, "the tag more was pushed and is not set") {
		t.Errorf("it was warned of %q", warned)
	}
	if strings.Contains(got.log, "very-secret") {
		t.Error("the log has a secret")
	}
	if _, err := w.client.Pull("admin/app", got.result.Digest); err != nil {
		t.Error(err)
	}
}

// What is wrong with a hook or a build is told as such, with the hook's name.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name  string
		files []string
		kind  driver.Kind
		part  string
		code  int
	}{
		{"hook", []string{"hooks/pre_build", "#!/bin/sh\nexit 7\n"}, driver.StepFailed, "hooks/pre_build failed: exit code: 7", 7},
		{"no shebang", []string{"hooks/build", "true\n"}, driver.StepFailed, "#!/bin/bash", 0},
		{"no interpreter", []string{"hooks/build", "#!/none\r\n"}, driver.StepFailed, `hooks/build failed: the program that its first line names, "#!/none\r", is not on the builder`, 0},
		{"nothing pushed", []string{"hooks/push", "#!/bin/sh\n"}, driver.StepFailed, "$IMAGE_NAME", 0},
		{"a tag of somebody else", []string{"hooks/push", "#!/bin/sh\ndocker tag $IMAGE_NAME REGISTRY/admin/base:2\ndocker push REGISTRY/admin/base:2\n"}, driver.StepFailed, "hooks/push", 1},
		{"RUN", []string{"Dockerfile", fromBase + "RUN exit 5\n"}, driver.StepFailed, "non-zero code: 5", 5},
		{"Dockerfile", []string{"Dockerfile", "FROM scratch\nFETCH x\n"}, driver.Dockerfile, "FETCH", 0},
		{"base", []string{"Dockerfile", "FROM REGISTRY/admin/none:1\n"}, driver.BaseImage, "which has no admin/none:1 that this build may pull: push it", 0},
		{"short base", []string{"Dockerfile", "FROM busybox\n"}, driver.BaseImage, "which has no library/busybox:latest that this build may pull: push it", 0},
		{"file", []string{"Dockerfile", "FROM scratch\nCOPY none /\n"}, driver.Source, "none", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			f := w.run(w.spec(append([]string{"Dockerfile", fromBase}, c.files...)...)).fails(t, c.kind, c.part)
			if c.code != 0 && f.ExitCode != c.code {
				t.Errorf("exit code %d", f.ExitCode)
			}
		})
	}
}

// Autotests run one after another, and sut decides; it finds the services it depends on.
func TestAutotests(t *testing.T) {
	w := newWorld(t)
	test := "services:\n  sut:\n    build: .\n    command: /tool %s\n    depends_on: [app]\n  app:\n    image: $IMAGE_NAME\n    command: /tool hang\n"
	s := w.spec("Dockerfile", fromBase+"COPY file /\n", "file", "content", "a.test.yml", fmt.Sprintf(test, "cat /file"), "b-test.yml", fmt.Sprintf(test, "echo second"))
	got := w.run(s).succeeds(t)
	if !slices.Equal(got.steps, []string{"docker build", "autotest a.test.yml", "autotest b-test.yml", "pushing the image"}) || !strings.Contains(got.log, "content") {
		t.Errorf("the steps are %q\n%s", got.steps, got.log)
	}
	s = w.spec("Dockerfile", fromBase+"COPY file /\n", "file", "content", "a.test.yml", fmt.Sprintf(test, "exit 4"), "b-test.yml", fmt.Sprintf(test, "echo second"))
	got = w.run(s)
	got.fails(t, driver.StepFailed, "autotest a.test.yml failed: sut ended with exit code: 4")
	if strings.Contains(got.log, "second") {
		t.Error("the second test ran")
	}
}
