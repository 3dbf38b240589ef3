package registry

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/projections/images"
)

func TestCheckJSON(t *testing.T) {
	layers := func(n int, one string) string {
		return `{"layers":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
	}
	for text, want := range map[string]string{
		`{"layers":[{"size":1},{"size":2}],"config":{"size":3}}`: "", // one in each object
		`{"annotations":{"a":"1","A":"2"}}`:                      "", // other keys
		`{"config":{"annotations":{"a":"1","A":"2"}},"x":[[]]}`:  "",
		layers(maxDescriptors, "{}"):                             "",
		`{"a":[`:                                                 "", // the parser says what is wrong
		`7`:                                                      "",
		`[{"a":1,"a":2}]`:                                        `key "a"`,
		`{"layers":[],"config":{},"layers":[]}`:                  `key "layers"`,
		`{"layers":[],"LAYERS":[]}`:                              `key "LAYERS"`,
		`{"layers":[],"layer\u0073":[]}`:                         `key "layers"`,
		`{"layers":[],"layer\u017f":[]}`:                         `key "layerſ"`, // Go's parser takes ſ for s
		`{"layers":[{"digest":"a","size":1,"digest":"b"}]}`:      `key "digest"`,
		`{"annotations":{"a":"1","a":"2"}}`:                      `key "a"`,
		`{"annotations":{},"x":{"a":1,"A":2}}`:                   `key "A"`,
		layers(maxDescriptors+1, "{}"):                           "at most 10000 blobs",
		layers(maxDescriptors+1, "0"):                            "at most 10000 blobs",
		strings.Repeat("[", 17):                                  "nested at most 16 deep",
		`{"x":` + strings.Repeat("[", 1<<20):                     "nested at most 16 deep",
		`{"x":{"y":[` + strings.Repeat("0,", maxTokens) + `0]}}`: "at most 250000 values",
	} {
		err := checkJSON([]byte(text))
		var p *problem
		if want == "" && err != nil || want != "" && (!errors.As(err, &p) || p.Status != http.StatusBadRequest || !strings.Contains(p.Message, want)) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

// A manifest that is refused for what it has in it costs no more memory than a
// few times its own length.
func TestHostileManifestCostsLittle(t *testing.T) {
	for name, text := range map[string]string{
		"layers":      `{"layers":[` + strings.Repeat("{},", MaxManifestSize/3-10) + `{}]}`,
		"manifests":   `{"manifests":[` + strings.Repeat("0,", MaxManifestSize/2-20) + `0]}`,
		"depth":       strings.Repeat(`{"a":`, MaxManifestSize/5),
		"annotations": `{"annotations":{"x":[` + strings.Repeat("0,", MaxManifestSize/2-20) + `0]}}`,
	} {
		raw := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := checkJSON(raw)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*MaxManifestSize {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}

func FuzzCheckJSON(f *testing.F) {
	f.Add(`{"layers":[{"a":{}}],"b":[1,"x",null]}`)
	f.Add(`{"a":1,"A":2}`)
	f.Fuzz(func(t *testing.T, text string) {
		if checkJSON([]byte(text)) != nil {
			return
		}
		m, err := images.ParseManifest([]byte(text))
		if err == nil && len(m.Layers)+len(m.Manifests) > maxDescriptors {
			t.Errorf("%d descriptors", len(m.Layers)+len(m.Manifests))
		}
	})
}

// A deadlined is a response whose read deadline was set.
type deadlined struct {
	http.ResponseWriter
	at time.Time
}

func (d *deadlined) SetReadDeadline(t time.Time) error { d.at = t; return nil }

// A dripping body has a byte a second, and ends when its deadline has passed.
type dripping struct{ *deadlined }

func (d dripping) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	if time.Now().After(d.at) {
		return 0, fmt.Errorf("i/o timeout")
	}
	p[0] = ' '
	return 1, nil
}
func (d dripping) Close() error { return nil }

// Sending a byte now and then keeps no manifest in memory for ever.
func TestSlowManifest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &deadlined{}
		began := time.Now()
		r, err := http.NewRequest("PUT", "/v2/alice/app/manifests/1", dripping{w})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = readManifest(w, r); err == nil {
			t.Fatal("a manifest of drops is taken")
		}
		if took := time.Since(began); took > wholeTime+2*time.Second {
			t.Errorf("it was waited for for %s", took)
		}
		if !w.at.IsZero() {
			t.Errorf("the connection's deadline is left at %s", w.at)
		}
	})
}
