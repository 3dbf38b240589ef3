package manifest

import (
	"errors"
	"runtime"
	"strings"
	"testing"

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
		var refused *InvalidError
		if want == "" && err != nil || want != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Reason, want)) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

// A manifest that is refused for what it has in it costs no more memory than a
// few times its own length.
func TestHostileManifestCostsLittle(t *testing.T) {
	for name, text := range map[string]string{
		"layers":      `{"layers":[` + strings.Repeat("{},", MaxSize/3-10) + `{}]}`,
		"manifests":   `{"manifests":[` + strings.Repeat("0,", MaxSize/2-20) + `0]}`,
		"depth":       strings.Repeat(`{"a":`, MaxSize/5),
		"annotations": `{"annotations":{"x":[` + strings.Repeat("0,", MaxSize/2-20) + `0]}}`,
	} {
		raw := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := checkJSON(raw)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*MaxSize {
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

// FuzzManifest: what is accepted as a manifest has descriptors that can be
// looked up and kept, and its media type is one of ours.
func FuzzManifest(f *testing.F) {
	for _, m := range []string{
		`{"schemaVersion":2,"mediaType":"` + typeOCIManifest + `","config":{"mediaType":"x","digest":"sha256:` + strings.Repeat("0", 64) + `","size":2},"layers":[]}`,
		`{"schemaVersion":2,"mediaType":"` + typeOCIIndex + `","manifests":[{"digest":"sha512:` + strings.Repeat("a", 128) + `","size":1}],"subject":{"digest":"x"}}`,
		`{"schemaVersion":1}`, `null`, `[]`, `{}`, `{"config":null}`, `{"layers":null,"manifests":[]}`, `{"schemaVersion":2,"layers":[{}]}`, `{"annotations":{"a":"\u0000"}}`, "", "\xff",
	} {
		f.Add(typeOCIManifest, []byte(m))
		f.Add(typeDockerList, []byte(m))
		f.Add("", []byte(m))
	}
	f.Fuzz(func(t *testing.T, header string, raw []byte) {
		m, err := images.ParseManifest(raw)
		if err != nil {
			return
		}
		kind, err := mediaTypeOf(header, m)
		if err != nil || check(kind, m) != nil {
			return
		}
		switch kind {
		case typeOCIManifest, typeDockerManifest, typeOCIIndex, typeDockerList:
		default:
			t.Fatalf("%q is accepted", kind)
		}
		list := append(m.Blobs(), m.Manifests...)
		if m.Subject != nil {
			list = append(list, *m.Subject)
		}
		for _, d := range list {
			b, err := images.DigestBytes(d.Digest)
			if err != nil || images.DigestOf(b) != d.Digest || d.Size < 0 {
				t.Fatalf("descriptor %+v is accepted: %v", d, err)
			}
		}
	})
}
