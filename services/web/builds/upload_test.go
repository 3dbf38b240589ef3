package builds_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/opencontainers/go-digest"

	"hubledger/services/web/webtest"
)

// packed is a tar file of a directory with a Dockerfile, compressed or not.
func packed(t *testing.T, compressed bool) []byte {
	t.Helper()
	var file bytes.Buffer
	var out io.Writer = &file
	var z *gzip.Writer
	if compressed {
		z = gzip.NewWriter(&file)
		out = z
	}
	w, text := tar.NewWriter(out), "FROM scratch\nCOPY . /\n"
	err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text))})
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err = errors.Join(err, w.Close()); err == nil && compressed {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A directory is built by a form with a tar file; what cannot be built is refused at its field, keeps nothing,
// and what was typed stays.
func TestBuildADirectory(t *testing.T) {
	town := webtest.NewTown(t)
	const page = repo + "/builds/new"
	town.Admin.Get(repo+"/builds").Is(http.StatusOK).Says("Build a directory", "build a directory")
	town.Admin.Get(page).Is(http.StatusOK).Says("at most 2,048 MiB", "hubledger build")
	for _, compressed := range []bool{true, false} {
		file := packed(t, compressed)
		a := town.Admin.Send(page, "context.tar", bytes.NewReader(file), "do", "build", "tags", "dev, 1.0", "args", "A=b=c\r\n\r\nB=", "labels", "", "noCache", "on")
		if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Location, "/builds/") {
			t.Fatalf("it leads to %d %s: %s", a.Status, a.Location, a.Words())
		}
		town.Admin.Get(a.Location).Is(http.StatusOK).Says("Done: event", "an uploaded directory", "dev", "1.0")
		blob, err := town.Client().Do(http.MethodGet, "/v2/admin/app/blobs/"+digest.FromBytes(file).String(), nil)
		if err != nil || !bytes.Equal(blob.Body, file) {
			t.Errorf("the hub has kept something else than what was sent: %v", err)
		}
	}
	good := packed(t, true)
	before := town.LastSeq()
	for _, c := range []struct {
		content     []byte
		tags, field string
		says        string
	}{
		{[]byte("PK\x03\x04 and more"), "dev", "file", "this is a zip file: pack the directory by tar"},
		{[]byte("\xfd7zXZ and more"), "dev", "file", "another way than by gzip"},
		{[]byte("hello"), "dev", "file", "this is no tar file"},
		{nil, "dev", "file", "the file is empty"},
		{good, "", "tags", "write at least one tag"},
		{good, webtest.Hostile, "tags", "is no tag"},
	} {
		a := town.Admin.Send(page, "context.tar.gz", bytes.NewReader(c.content), "do", "build", "tags", c.tags, "target", "the stage").Is(http.StatusUnprocessableEntity).Lacks("<script>alert")
		if wrong := a.Between(`<span class="wrong" id="w-`+c.field+`">`, "</span>"); !strings.Contains(wrong, c.says) {
			t.Errorf("%.10q with the tags %q: at the field stands %q, wanted %q", c.content, c.tags, wrong, c.says)
		}
		a.Says("Choose it again").Between(`value="the stage"`, ">")
	}
	// A large one that is refused is read to its end, so that the browser shows why.
	town.Admin.Send(page, "x.zip", io.LimitReader(io.MultiReader(strings.NewReader("PK"), zeros{}), 40<<20), "do", "build", "tags", "dev").Is(http.StatusUnprocessableEntity).Says("this is a zip file")
	town.Admin.Send(page, "", strings.NewReader(""), "do", "build", "tags", "dev").Is(http.StatusUnprocessableEntity).Says("choose a file")
	town.Admin.Send(page, "x.tar.gz", bytes.NewReader(good), "do", "build", "tags", "dev", "args", "no value").Is(http.StatusUnprocessableEntity).Says(`"no value" is not NAME=VALUE`)
	town.Admin.Send(page, "x.tar.gz", bytes.NewReader(good), "do", "build", "labels", strings.Repeat("x", 300_000)).Is(http.StatusRequestEntityTooLarge)
	town.Admin.Send(page, "x.tar.gz", bytes.NewReader(good), "do", "nothing").Is(http.StatusBadRequest)
	town.Admin.Post(page, "do", "build", "tags", "dev").Is(http.StatusUnsupportedMediaType)
	town.Alice.Send(repo+"/builds/new", "x.tar.gz", bytes.NewReader(good), "do", "build", "tags", "dev").Leads("/builds/" + town.Admin.Get("/builds").Between(`href="/builds/`, `"`))
	town.Bob.Send(page, "x.tar.gz", bytes.NewReader(good), "do", "build", "tags", "dev").Is(http.StatusNotFound)
	town.Nobody.Send(page, "x.tar.gz", bytes.NewReader(good), "do", "build", "tags", "dev").Is(http.StatusNotFound)
	if now := town.LastSeq(); now != before+1 { // what alice has queued
		t.Errorf("%d events", now-before)
	}
	// The quota of the namespace counts, and the form says so.
	town.Call(http.MethodPut, "/namespaces/admin/quota", map[string]any{"bytes": 10, "images": 0})
	town.Admin.Send(page, "x.tar.gz", bytes.NewReader(append(packed(t, true), 0)), "do", "build", "tags", "dev").Is(http.StatusForbidden).Says("the quota of admin is used up")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// In Chromium without scripts: a file of the wrong kind, which is large, then the right one.
func TestBuildADirectoryInChromium(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	c.Scripts(false)
	dir := t.TempDir()
	choose := func(name string, content []byte) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		// By its object: ids of nodes end whenever the browser takes the document for another one.
		input := webtest.Send(c, runtime.Evaluate, runtime.EvaluateParams{Expression: `document.querySelector("#f-file")`})
		webtest.Send(c, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, ObjectID: input.Result.ObjectID})
		webtest.Run(c, chromedp.Evaluate[chromedp.Void](`document.querySelector("main form .primary").click()`))
	}
	c.Open(repo + "/builds/new")
	choose("context.zip", append([]byte("PK"), make([]byte, 30<<20)...))
	c.Wait(`document.querySelector("#w-file") && document.querySelector("#w-file").innerText.includes("zip file")`)
	choose("context.tar.gz", packed(t, true))
	c.Wait(`location.pathname.startsWith("/builds/") && document.querySelector("main").innerText.includes("an uploaded directory")`)
}
