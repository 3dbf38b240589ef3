package hostagent_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/machine"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server/machinery"
	"hubledger/services/server/servertest"
	"hubledger/streams/machines"
)

// A stranger has the key of one host, and says whatever it likes.
type stranger struct {
	*machines.Conn
	t testing.TB
}

// answer is what the hub answers; "" when it answers nothing.
func (s stranger) answer(operation, data string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
	defer cancel()
	text, err := s.Request(ctx, operation, []byte(data))
	if err != nil {
		return ""
	}
	return string(text)
}

// listen lets machines connect to the world, as a node does.
func (w *world) listen() (*machinery.Listener, *x509.CertPool) {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(w.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"hub.test"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(w.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	check(w.t, err)
	dir := w.t.TempDir()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	check(w.t, os.WriteFile(filepath.Join(dir, "crt"), cert, 0o600))
	check(w.t, os.WriteFile(filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(cert)
	l := &machinery.Listener{}
	builder := func(context.Context, *accounts.Machine, string, []byte) []byte { return []byte("to a builder") }
	check(w.t, l.Listen(machinery.Config{Address: "127.0.0.1:0", Cert: filepath.Join(dir, "crt"), Key: filepath.Join(dir, "key"), People: w.hub.Accounts(), Logger: slog.New(slog.DiscardHandler),
		Answer: map[string]func(context.Context, *accounts.Machine, string, []byte) []byte{events.MachineHost: w.hosts.Answer, events.MachineBuilder: builder}}))
	w.t.Cleanup(l.Close)
	return l, trust
}

// connect makes a machine of a kind, and its connection. as is the id that it says it has;
// "" for its own.
func (w *world) connect(l *machinery.Listener, trust *x509.CertPool, kind, name, as string) (*accounts.Machine, stranger) {
	w.t.Helper()
	seed, public, err := machines.NewKey()
	check(w.t, err)
	m := w.enroll(kind, name, public)
	if as == "" {
		as = m.ID
	}
	c, err := machines.Dial(machines.DialConfig{Address: l.Address(""), ServerName: "hub.test", CAs: trust, Machine: as, Seed: seed, Logger: slog.New(slog.DiscardHandler)})
	check(w.t, err)
	w.t.Cleanup(c.Close)
	until(w.t, name+" is connected", func() bool { return l.Connected(m.ID) })
	return m, stranger{c, w.t}
}

// The key of one host reads nothing of another, cannot speak for it, and does not pull what
// it does not run; machines of another kind are not hosts; what no host would say is refused.
func TestHostileHost(t *testing.T) {
	w := newWorld(t)
	l, trust := w.listen()
	victim, honest := w.connect(l, trust, events.MachineHost, "victim", "")
	thief, stolen := w.connect(l, trust, events.MachineHost, "thief", "")
	_, forger := w.connect(l, trust, events.MachineHost, "forger", victim.ID)
	_, builder := w.connect(l, trust, events.MachineBuilder, "builder", "")
	image := "hub.test/admin/private@sha256:" + strings.Repeat("0", 64)
	slot := webSlot(hosting.Blue, image, 8081, 8082)
	slot.Services[0].Values = map[string]string{"PASSWORD": "of the victim"}
	w.plan.set(victim.ID, []hosting.Slot{slot})

	if got := honest.answer("sync", `{}`); !strings.Contains(got, "of the victim") {
		t.Errorf("the host itself gets %s", got)
	}
	if got := stolen.answer("sync", `{"generation":"other"}`); strings.Contains(got, "victim") || !strings.Contains(got, `"generation":"g1"`) {
		t.Errorf("another gets %s", got)
	}
	for _, operation := range []string{"sync", "observed", "token"} {
		if got := forger.answer(operation, `{"repository":"admin/private"}`); got != "" {
			t.Errorf("who says that it is the host is answered %s to %s", got, operation)
		}
		if got := builder.answer(operation, `{}`); got != "to a builder" {
			t.Errorf("a builder is answered %s to %s", got, operation)
		}
	}
	if got := stolen.answer("next", `{}`); !strings.Contains(got, "is no request of a host") {
		t.Errorf("a host that asks for builds is answered %s", got)
	}

	report, err := json.Marshal(hosting.Observation{Generation: "g1", Epoch: 1, Slots: []hosting.Seen{{ID: slot.ID, Healthy: true}}})
	check(t, err)
	if got := stolen.answer("observed", string(report)); got != `{"value":null}` {
		t.Errorf("its own report is answered %s", got)
	}
	if o := w.plan.last(victim.ID); o.Slots != nil {
		t.Errorf("the report counts for the other host: %+v", o)
	}
	if o := w.plan.last(thief.ID); len(o.Slots) != 1 {
		t.Errorf("its own report is %+v", o)
	}

	if got := honest.answer("token", `{"repository":"admin/private"}`); !strings.Contains(got, `"token":"`) {
		t.Errorf("the host asks for a token: %s", got)
	}
	for _, data := range []string{`{"repository":"admin/private"}`, `{"repository":"admin/*"}`, `{"repository":"` + strings.Repeat("x", 1000) + `"}`, `{"repository":""}`, `[]`} {
		if got := stolen.answer("token", data); strings.Contains(got, `"token"`) || got == "" {
			t.Errorf("%.60s is answered %.200s", data, got)
		}
	}
}

// What no host would say is refused, and changes nothing.
func TestFalseReports(t *testing.T) {
	w := newWorld(t)
	h := &host{world: w, machine: w.enroll(events.MachineHost, "web1", keyOf("W"))}
	c := &wired{h: h}
	good := hosting.Observation{Generation: "g1", Slots: []hosting.Seen{{ID: "a", Sessions: -1, Containers: []hosting.SeenContainer{{ID: "c", Log: strings.Repeat("x", 4<<10)}}}}}
	hub := wire.Client{Conn: c}
	check(t, hub.Observed(t.Context(), good))
	for what, edit := range map[string]func(*hosting.Observation){
		"many slots":      func(o *hosting.Observation) { o.Slots = make([]hosting.Seen, 201) },
		"a slot twice":    func(o *hosting.Observation) { o.Slots = append(o.Slots, o.Slots[0]) },
		"many containers": func(o *hosting.Observation) { o.Slots[0].Containers = make([]hosting.SeenContainer, 501) },
		"a long log":      func(o *hosting.Observation) { o.Slots[0].Containers[0].Log += "x" },
		"a long name":     func(o *hosting.Observation) { o.Slots[0].ID = strings.Repeat("x", 257) },
		"a long error":    func(o *hosting.Observation) { o.Engine.Error = strings.Repeat("x", 2049) },
		"no phase":        func(o *hosting.Observation) { o.Slots[0].Phase = "promoted" },
		"less than none":  func(o *hosting.Observation) { o.Slots[0].Images = []hosting.SeenImage{{Bytes: -1}} },
		"fewer sessions":  func(o *hosting.Observation) { o.Slots[0].Sessions = -2 },
	} {
		bad := good
		bad.Generation = what
		bad.Slots = []hosting.Seen{good.Slots[0]}
		bad.Slots[0].Containers = []hosting.SeenContainer{good.Slots[0].Containers[0]}
		edit(&bad)
		if err := hub.Observed(t.Context(), bad); !errors.Is(err, wire.ErrReport) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if o := w.plan.last(h.machine.ID); o.Generation != "g1" {
		t.Errorf("taken was %+v", o)
	}
}

// A host that asks without an end is bounded, and others are not touched by it.
func TestFlood(t *testing.T) {
	w := newWorld(t)
	loud := &host{world: w, machine: w.enroll(events.MachineHost, "loud", keyOf("L"))}
	still := &host{world: w, machine: w.enroll(events.MachineHost, "still", keyOf("S"))}
	busy := 0
	for range 500 {
		if err := (wire.Client{Conn: &wired{h: loud}}).Observed(t.Context(), hosting.Observation{}); errors.Is(err, wire.ErrBusy) {
			busy++
		}
	}
	if busy < 100 {
		t.Errorf("of 500 reports at once %d were refused", busy)
	}
	check(t, (wire.Client{Conn: &wired{h: still}}).Observed(t.Context(), hosting.Observation{}))
	// Of requests that wait there is one: the next ends the one before.
	first := make(chan error, 1)
	go func() {
		_, err := (wire.Client{Conn: &wired{h: still}}).Sync(t.Context(), "g1", 0)
		first <- err
	}()
	until(t, "the first is ended by the second", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		(wire.Client{Conn: &wired{h: still}}).Sync(ctx, "g1", 0)
		select {
		case err := <-first:
			return errors.Is(err, wire.ErrBusy)
		default:
			return false
		}
	})
}

// A host's token pulls from its repository and does nothing else, and ends with the host.
func TestHostToken(t *testing.T) {
	w := newWorld(t)
	image := w.push("admin/shop", "one")
	w.push("admin/other", "two")
	m := w.enroll(events.MachineHost, "web1", keyOf("W"))
	text, _, err := w.hub.Auth().HostToken(t.Context(), m, "admin/shop")
	check(t, err)
	c := registrytest.NewClient(w.hub.URL)
	defer c.Close()
	status := func(method, path string) int {
		t.Helper()
		a, err := c.Do(method, path, nil, "Authorization", "Bearer "+text)
		check(t, err)
		return a.Status
	}
	_, sum, _ := strings.Cut(image, "@")
	for what, c := range map[string]struct {
		method, path string
		want         int
	}{
		"its image":             {http.MethodGet, "/v2/admin/shop/manifests/" + sum, http.StatusOK},
		"another repository":    {http.MethodGet, "/v2/admin/other/manifests/" + sum, http.StatusUnauthorized},
		"a push":                {http.MethodPost, "/v2/admin/shop/blobs/uploads/", http.StatusUnauthorized},
		"a deletion":            {http.MethodDelete, "/v2/admin/shop/manifests/" + sum, http.StatusUnauthorized},
		"the catalog":           {http.MethodGet, "/v2/_catalog", http.StatusUnauthorized},
		"the API":               {http.MethodGet, "/api/v1/user", http.StatusUnauthorized},
		"the API of repository": {http.MethodGet, "/api/v1/repositories/admin/shop", http.StatusUnauthorized},
	} {
		if got := status(c.method, c.path); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
	}
	_, seq, err := machine.Revoke(t.Context(), w.hub.Log(), servertest.By, events.MachineHost, "web1")
	w.hub.Done(seq, err)
	if got := status(http.MethodGet, "/v2/admin/shop/manifests/"+sum); got != http.StatusUnauthorized {
		t.Errorf("the token of a revoked host: %d", got)
	}
	if _, _, err := w.hub.Auth().HostToken(t.Context(), m, "admin/shop"); err == nil {
		t.Error("a revoked host gets a token")
	}
}
