package deployer_test

import (
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
)

// The images of a release that runs stay, with all that belongs to them, also when many releases
// were made since: garbage is collected all the time meanwhile. They go when the release is
// neither on a host nor one of those that were promoted last.
func TestWhatRunsHoldsItsImages(t *testing.T) {
	w := newWorldOf(t, server.Config{LeaseTerm: 2 * time.Second, UndeleteWindow: 100 * time.Millisecond, GCInterval: 200 * time.Millisecond})
	c := w.Client()
	child := registrytest.NewImage("the layer that runs")
	c.MustPush(t, "acme/web", "child", child)
	index := c.MustPush(t, "acme/web", "1", registrytest.NewIndex(child))
	w.placed()
	var r apitypes.Release
	w.call("pusher", "POST", shopPath+"/releases", object{}, 201, &r)
	w.call("owner", "PUT", prodPath+"/policy", object{"warm": 1}, 200, nil)
	w.await(w.deploy(r.Number, nil).ID, "ended")
	var later []int
	for _, content := range []string{"web 2", "web 3", "web 4"} {
		later = append(later, w.release(content))
	}
	layer := registrytest.Layer("the layer that runs").Digest
	for _, d := range []string{index.Digest().String(), child.Digest().String()} {
		if a := c.Must(t, "DELETE", "/v2/acme/web/manifests/"+d, nil).WantError(t, 403, "DENIED"); !strings.Contains(string(a.Body), "release 1 of acme/shop") {
			t.Errorf("%s", a.Body)
		}
	}
	// What nobody needs is swept meanwhile, so what is there then was not.
	other := registrytest.NewImage("garbage")
	c.MustPush(t, "acme/web", "garbage", other)
	c.Must(t, "DELETE", "/v2/acme/web/manifests/"+other.Digest().String(), nil).Want(t, 202)
	swept := func(content string) func() bool {
		return func() bool {
			there, err := c.HasBlob("acme/web", registrytest.Layer(content).Digest)
			if err != nil {
				t.Fatal(err)
			}
			return !there
		}
	}
	eventually(t, swept("garbage"))
	if _, err := c.Pull("acme/web", index.Digest().String()); err != nil {
		t.Error(err)
	}
	if err := c.PullBlob("acme/web", layer); err != nil {
		t.Error(err)
	}
	// Two releases are kept, so the one before the latest may be gone back to.
	remove := func() int { return c.Must(t, "DELETE", "/v2/acme/web/manifests/"+index.Digest().String(), nil).Status }
	for _, n := range later[:2] {
		if status := remove(); status != 403 {
			t.Errorf("before release %d it is deleted: %d", n, status)
		}
		d := w.await(w.deploy(n, nil).ID, "held")
		w.action("pusher", d.ID, "promote", nil, 201)
		w.await(d.ID, "ended")
	}
	eventually(t, func() bool { return remove() == 202 }) // once its colour is torn down
	c.Must(t, "DELETE", "/v2/acme/web/manifests/"+child.Digest().String(), nil).Want(t, 202)
	eventually(t, swept("the layer that runs"))
}
