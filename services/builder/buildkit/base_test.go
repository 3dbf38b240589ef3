package buildkit_test

import (
	"fmt"
	"sync"
	"testing"
)

// A base image with a short name comes from the hub, where it is one of the top level.
func TestTopLevelBase(t *testing.T) {
	w := newWorld(t)
	w.pushTool("library/tool", "latest", "amd64")
	w.run(w.spec("FROM tool\nRUN echo hello\n")).succeeds(t)
	w.run(w.spec("FROM docker.io/library/tool:latest\nRUN echo hello\n")).succeeds(t)
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
