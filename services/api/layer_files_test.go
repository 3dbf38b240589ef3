package api_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
)

// The files of a layer are shown where the layer is held, once the hub has looked through
// it; those of images are compared as containers see them.
func TestLayerFiles(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.user("bob")
	k.token("alice", "alice", events.LevelAdmin)
	k.repository("alice/app", events.Private)
	k.repository("alice/other", events.Public)
	base, top := registrytest.TarLayer("bin/", "", "bin/sh", "#!", "etc/motd", "hello"), registrytest.TarLayer("etc/.wh.motd", "", "bin/new", "12345")
	first, second := registrytest.NewImage(base), registrytest.NewImage(base, top)
	k.Client().MustPush(t, "alice/app", "1", first)
	k.Client().MustPush(t, "alice/app", "2", second)
	many := registrytest.With(func(m *v1.Manifest) {
		for range 200 {
			m.Layers = append(m.Layers, registrytest.Layer(base))
		}
	}, base)
	k.Client().MustPush(t, "alice/app", "many", many)
	k.Client().MustPush(t, "alice/app", "index", registrytest.NewIndex(first))
	k.CatchUp()
	layer := "/layers/" + registrytest.Sum(base).String() + "/files"
	const app, other = "/api/v1/repositories/alice/app", "/api/v1/repositories/alice/other"
	k.do("", "GET", app+layer, nil).want(404)
	k.do("bob", "GET", app+layer, nil).want(404)
	k.do("alice", "GET", other+layer, nil).want(404) // the blob is in the hub, but not there
	k.do("alice", "GET", app+"/layers/sha256:no/files", nil).want(422)
	var files apitypes.LayerFiles
	for files.State != "done" {
		time.Sleep(time.Millisecond)
		files = apitypes.LayerFiles{}
		k.do("alice", "GET", app+layer+"?path=/bin/", nil).want(200).into(&files)
	}
	if len(files.Items) != 1 || files.Items[0].Name != "sh" || files.Items[0].SHA256 != registrytest.Sum("#!").Encoded() || files.Path != "bin" || files.Entries != 4 || files.Bytes != 7 || files.Directory.Size != 2 {
		t.Errorf("%+v", files)
	}
	k.do("alice", "GET", app+layer+"?path=none", nil).want(404)
	k.do("alice", "GET", app+layer+"?cursor=nonsense", nil).want(422)
	var page apitypes.LayerFiles
	k.do("alice", "GET", app+layer+"?limit=1", nil).want(200).into(&page)
	if page.Next == "" || page.Items[0].Name != "bin" || page.Total != 2 {
		t.Fatalf("%+v", page)
	}
	page = apitypes.LayerFiles{}
	k.do("alice", "GET", app+layer+"?limit=1&cursor="+cursorOf(t, k, app+layer+"?limit=1"), nil).want(200).into(&page)
	if page.Next != "" || page.Items[0].Name != "etc" {
		t.Errorf("%+v", page)
	}
	changes := app + "/manifests/" + second.Digest().String() + "/file-changes"
	var found apitypes.FileChanges
	for found.State != "done" {
		time.Sleep(time.Millisecond)
		found = apitypes.FileChanges{}
		k.do("alice", "GET", changes+"?since="+first.Digest().String(), nil).want(200).into(&found)
	}
	if found.Added != 1 || found.Removed != 1 || found.Changed != 0 || found.AddedBytes != 5 || found.Items[0].Path != "bin/new" || found.Items[1].From == nil || found.Items[1].To != nil {
		t.Errorf("%+v", found)
	}
	found = apitypes.FileChanges{}
	k.do("alice", "GET", changes+"?limit=2", nil).want(200).into(&found)
	if found.Added != 4 || len(found.Items) != 2 || found.Next == "" {
		t.Errorf("all files of an image: %+v", found)
	}
	k.do("bob", "GET", changes, nil).want(404)
	k.do("alice", "GET", changes+"?since="+many.Digest().String(), nil).want(422)
	k.do("alice", "GET", app+"/manifests/"+registrytest.NewIndex(first).Digest().String()+"/file-changes", nil).want(422)
}

// An image may name layers that were not pushed with it. One that only another repository
// holds stays unread, and nothing tells whether the hub has it.
func TestFilesOfLayersOfOthers(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.user("mallory")
	k.token("mallory", "mallory", events.LevelAdmin)
	k.repository("alice/app", events.Private)
	k.repository("mallory/app", events.Public)
	private, own := registrytest.TarLayer("etc/", "", "etc/secret", "hello"), registrytest.TarLayer("bin/sh", "#!")
	k.Client().MustPush(t, "alice/app", "1", registrytest.NewImage(private))
	var answers []apitypes.FileChanges
	for tag, content := range map[string]string{"there": private, "nowhere": "no layer at all"} {
		of := registrytest.Layer(content)
		of.MediaType, of.URLs = "application/vnd.oci.image.layer.nondistributable.v1.tar", []string{"https://registry.example/layer"}
		image := registrytest.With(func(m *v1.Manifest) { m.Layers = append([]v1.Descriptor{of}, m.Layers...) }, own)
		k.Client().MustPush(t, "mallory/app", tag, image)
		k.CatchUp()
		var found apitypes.FileChanges
		for found.State != "done" {
			time.Sleep(time.Millisecond)
			found = apitypes.FileChanges{}
			k.do("mallory", "GET", "/api/v1/repositories/mallory/app/manifests/"+image.Digest().String()+"/file-changes", nil).want(200).into(&found)
			if found.State == "failed" {
				t.Fatalf("%s: %+v", tag, found)
			}
		}
		if len(found.Incomplete) != 1 || found.Incomplete[0] != of.Digest.String() {
			t.Errorf("%s: incomplete are %v", tag, found.Incomplete)
		}
		found.To, found.Incomplete = "", nil
		answers = append(answers, found)
	}
	if a, b := answers[0], answers[1]; !reflect.DeepEqual(a, b) || a.Added != 2 {
		t.Errorf("the layer of another repository makes a difference: %+v and %+v", a, b)
	}
}

// cursorOf is the cursor of the next page of a list.
func cursorOf(t *testing.T, k *kit, path string) string {
	t.Helper()
	var page struct{ Next string }
	k.do("alice", "GET", path, nil).want(200).into(&page)
	u, err := url.Parse(page.Next)
	if err != nil || page.Next == "" {
		t.Fatalf("%s has no next page: %v", path, err)
	}
	return u.Query().Get("cursor")
}
