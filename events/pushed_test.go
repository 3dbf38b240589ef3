package events

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The decoder of image.pushed gives what encoding/json gives, value or error.
func FuzzDecodePushed(f *testing.F) {
	for _, data := range []string{
		`{"digest":"sha256:aa","manifest":"e30="}`,
		`{"digest":"sha256:aa","manifest":""}`,
		`{"digest":"sha256:aa","manifest":"e30"}`,                      // no padding
		`{"digest":"sha256:aa","manifest":"e3` + "\n" + `0="}`,         // a line break in a text
		`{"digest":"sha256:aa","manifest":"e30=","manifest":"e319"}`,   // the last one counts
		`{"digest":"sha256:aa","manifest":1,"manifest":"e30="}`,        // the first one is an error
		`{"digest":"sha256:aa","x":{"y":1,"manifest":"e30="}`,          // not closed
		`{"digest":"sha256:aa","x":{"y":1,"manifest":"e30="}}`,         // of an inner object
		`{"digest":"sha256:aa","x":["y","manifest":"e30="}`,            // not closed
		`{"digest":"sha256:aa","x":"y,\"manifest\":\"e30="}`,           // in a text
		`{"digest":"sha256:aa","x":"y\\,"manifest":"e30="}`,            // after an open text
		`{"digest":"sha256:aa","x":"y,"manifest":"e30="}`,              // likewise
		`{"digest":"sha256:aa",,"manifest":"e30="}`,                    // two commas
		`{,"manifest":"e30="}`,                                         // no member before the comma
		`{"digest":"sha256:aa"},"manifest":"e30="}`,                    // after the end
		`[{"digest":"sha256:aa"},"manifest":"e30="}`,                   // not an object
		`{"digest":"sha256:aa","manifest":"e30=\n"}`,                   // an escape
		`{"digest":"sha256:aa","manifest":"\u00653\u0030="}`,           // escapes
		`{"digest":"sha256:aa","manifest":"e30=","tag":"later"}`,       // not the last member
		`{"digest":"sha256:aa", "manifest" : "e30=" }`,                 // spaces
		`{"Digest":"sha256:aa","Manifest":"e319","manifest":"e30="}`,   // json ignores case
		`{"digest":"sha256:aa","created":"never","manifest":"e30="}`,   // an error in another member
		`{"absent":["a"],"absent":[],"blobs":["b"],"blobs":["c","d"]}`, // the last one counts
		`{"platform":{"os":"a"},"platform":{"variant":"b"}}`,           // json merges them
		`{"created":"2026-11-22T10:00:00Z","created":"2026-11-22T10:00:00.5+01:00"}`,
		`{"created":"2026-11-22t10:00:00z"}`, `{"created":"2026-11-22T10:00:00,5Z"}`, `{"created":""}`,
		`{"tag":"\u0061","manifest":"e30="}`, `{"tag":"ä","manifest":"e30="}`, `{"unknown":1,"manifest":"e30="}`,
		`{"newLayers":3,"manifest":"e30="}`, `{"newLayers":0}`, `{"newLayers":null}`, `{"newLayers":1.5}`, `{"newLayers":-1}`, `{"newLayers":"3"}`,
		`{"digest":"sha256:aa","manifest":null}`, `{}`, `null`, `"}`, ``,
	} {
		f.Add(data)
	}
	sample, err := os.ReadFile("testdata/image.pushed.v1.json")
	if err != nil {
		f.Fatal(err)
	}
	var s struct{ Data ImagePushed }
	if err := json.Unmarshal(sample, &s); err != nil {
		f.Fatal(err)
	}
	three := int64(3)
	s.Data.NewLayers = &three
	written, err := json.Marshal(s.Data)
	if err != nil {
		f.Fatal(err)
	}
	if _, ok := plainPushed(written); !ok {
		f.Fatal("what we write is not plain")
	}
	f.Add(string(written))
	f.Add(strings.Replace(string(written), `}`, `},"more":{"a":[1,2]}`, 1))
	f.Fuzz(func(t *testing.T, data string) {
		var want ImagePushed
		wantErr := json.Unmarshal([]byte(data), &want)
		got, err := decodePushed([]byte(data))
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("%q: %v, want %v", data, err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v, want %+v", data, got, want)
		}
	})
}
