package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
)

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// An attacker makes requests from an address.
type attacker struct {
	hub, auth     string
	subject, blob string
	dialer        *net.Dialer
	http          *http.Client
}

// prepareAttacks pushes what the attackers use.
func prepareAttacks(t *testing.T, h *hubProcess, mallory person) *attacker {
	t.Helper()
	c := registrytest.NewClient(asURL(h, mallory))
	defer c.Close()
	image := c.MustPush(t, "mallory/app", "1", registrytest.NewImage("layer"))
	push := func(ref string, annotations map[string]string, subject bool) {
		m := map[string]any{"schemaVersion": 2, "mediaType": manifestType, "annotations": annotations,
			"config": registrytest.Layer("{}"), "layers": []any{}}
		if subject {
			m["subject"] = image.Descriptor()
		}
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		c.Must(t, "PUT", "/v2/mallory/app/manifests/"+ref, body, "Content-Type", manifestType).Want(t, 201)
	}
	if err := c.PushBlob("mallory/app", "{}"); err != nil {
		t.Fatal(err)
	}
	push("large", map[string]string{"x": strings.Repeat("x", 3<<20)}, false)
	for k := range 10 {
		push(fmt.Sprint("r", k), map[string]string{"x": strings.Repeat("x", 400_000), "k": fmt.Sprint(k)}, true)
	}
	a := &attacker{hub: h.Addr, subject: image.Digest().String(), blob: string(registrytest.Sum("layer"))}
	return a.as(mallory.name, mallory.secret)
}

func (a *attacker) as(name, password string) *attacker {
	b := *a
	b.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
	return &b
}

// guess tries a password from a new address.
func (a *attacker) guess(name string) {
	b := a.from(fmt.Sprintf("127.%d.%d.%d", 100+rand.IntN(100), rand.IntN(250), 1+rand.IntN(250)))
	defer b.http.CloseIdleConnections()
	b.as(name, fmt.Sprint(rand.Int())).send("GET", "/v2/", nil)
}

// from is the attacker at another address.
func (a *attacker) from(address string) *attacker {
	b := *a
	b.dialer = &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	b.http = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: b.dialer.DialContext}}
	return &b
}

// send sends a request and reads the answer.
func (a *attacker) send(method, path string, body []byte, header ...string) {
	r := &http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: a.hub, Opaque: "//" + a.hub + path}, Host: a.hub,
		Header: http.Header{"Authorization": {a.auth}, "Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
	for k := 0; k < len(header); k += 2 {
		r.Header.Set(header[k], header[k+1])
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
}

// hold opens n connections, writes to each, and reads nothing for some seconds.
func (a *attacker) hold(n int, text string) {
	for range n {
		c, err := a.dialer.Dial("tcp", a.hub)
		if err != nil {
			continue
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(4096)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		io.WriteString(c, text)
	}
	time.Sleep(5 * time.Second)
}

func (a *attacker) head(method, path string, length int) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: hub\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		method, path, a.auth, length)
}

func (a *attacker) unread(method, path string, body []byte) {
	a.hold(20, a.head(method, path, len(body))+string(body))
}
func (a *attacker) pipeline(path string, n int) { a.hold(5, strings.Repeat(a.head("GET", path, 0), n)) }
func (a *attacker) unfinished(method, path string, length int) {
	a.hold(10, a.head(method, path, length)+strings.Repeat(" ", length-1))
}
func (a *attacker) idle(n int) { a.hold(n, "") }
