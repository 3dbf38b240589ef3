package cmd

import (
	"archive/tar"
	"bytes"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
)

// layerOf is an archive of files with these names, which end with a slash for directories.
func layerOf(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(name)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Mode, h.Size, h.Typeflag = 0o755, 0, tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte(name))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("admin", adminPassword)
	c := registrytest.NewClient(u.String())
	defer c.Close()
	image := registrytest.NewImage(layerOf(t, "bin/", "bin/greet", "etc/", "etc/greeting"), layerOf(t, "etc/", "etc/.wh.greeting", "etc/\x1b[31mred"), "no archive")
	if err := c.Push("admin/app", "latest", image); err != nil {
		t.Fatal(err)
	}
	if err := c.Push("admin/app", "all", registrytest.NewIndex(image)); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, bool) {
		t.Helper()
		out, err := exec.Command(program(t), append([]string{"--data", h.Data, "files"}, args...)...).CombinedOutput()
		return string(out), err == nil
	}
	for _, row := range []struct {
		args, says, lacks string
		fails             bool
	}{
		{args: "admin/app", says: "3      sha256:"},
		{args: "admin/app@" + image.Digest().String(), says: "--layer 1"},
		{args: "admin/app:all --layer 1", says: "bin/", lacks: "greet"},
		{args: "admin/app:latest bin --layer 1", says: "greet", lacks: "etc"},
		{args: "admin/app:latest /bin/ --layer 1", says: "0644  0:0"},
		{args: "admin/app etc -l 2", says: "greeting (deleted here)", lacks: "\x1b"},
		{args: "admin/app --layer 3", says: "no archive whose files can be listed", fails: true},
		{args: "admin/app --layer 4", says: "there is no layer 4", fails: true},
		{args: "admin/app bin", says: "--layer", fails: true},
		{args: "admin/app nowhere --layer 1", says: "no such directory", fails: true},
		{args: "admin/app:all --layer 1 --platform plan9/mips", says: "no image for plan9/mips", fails: true},
		{args: "admin/app:none", says: "there is", fails: true},
	} {
		out, ok := run(strings.Fields(row.args)...)
		if ok == row.fails || !strings.Contains(out, row.says) || row.lacks != "" && strings.Contains(out, row.lacks) {
			t.Errorf("files %s: %v\n%s", row.args, ok, out)
		}
	}
}
