package images

import (
	"encoding/json"
	"reflect"
	"testing"
)

const (
	plainImage = `{"schemaVersion": 2, "mediaType":"application/vnd.oci.image.manifest.v1+json",
	"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aa","size":1471},
	"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:bb","size":29126484}, {"digest":"sha256:cc","size":0,"annotations":{}}],
	"subject":{"digest":"sha256:dd","artifactType":"a/b"},"artifactType":"c/d","annotations":{"a":"b","a":"c"}}
`
	plainIndex = `{"schemaVersion":2,"manifests":[{"digest":"sha256:aa","size":12,"platform":{"architecture":"arm","os":"linux","variant":"v7","os.version":"1"},
	"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}],"layers":[]}`
)

// oddManifests are not plain, and some of them no manifest.
var oddManifests = []string{
	`{"mediaType":"\u0061"}`, `{"mediaType":"ä"}`, "{\"mediaType\":\"a\tb\"}", "{\"mediaType\":\"a\x7f\"}",
	`{"schemaVersion":2.0}`, `{"schemaVersion":-2}`, `{"schemaVersion":02}`, `{"schemaVersion":2e0}`, `{"schemaVersion":}`,
	`{"schemaVersion":1234567890123456789}`, `{"schemaVersion":99999999999999999999}`,
	`{"MediaType":"a"}`, `{"mediaType":"a","unknown":{"x":[null]}}`, `{"config":null}`, `{"layers":null}`, `{"layers":[null]}`,
	`{"config":{"size":1},"config":{"digest":"sha256:aa"}}`, `{"layers":[{"size":1}],"layers":[{"digest":"sha256:aa"}]}`,
	`{"annotations":{"a":"1"},"annotations":{"b":"2"}}`, `{"manifests":[{"platform":{"os":"a"},"platform":{"variant":"b"}}]}`,
	`{"config":{"data":"e30=","urls":["https://example.com"]}}`, `{"manifests":[{"platform":{"os.features":["a"]}}]}`,
	`{"mediaType":1}`, `{"layers":{}}`, `{"config":[]}`, `{"annotations":{"a":1}}`, `{"config":{"size":"1"}}`,
	`{"mediaType":"a",}`, `{"layers":[,]}`, `{"layers":[{}]]}`, `{"layers":[{} {}]}`, `{"mediaType" "a"}`, `{"mediaType":"a"`, `{"mediaType":"a`,
	`{"mediaType":"a"}}`, `{} {}`, `[]`, `null`, `1`, `"a"`, ``, ` `, "{}\f", "\ufeff{}",
}

// A manifest that is read the short way has the value that encoding/json gives.
func FuzzParseManifest(f *testing.F) {
	for _, raw := range []string{plainImage, plainIndex, `{}`, ` { } `, `{"annotations":{}}`} {
		if _, ok := parsePlain([]byte(raw)); !ok {
			f.Fatalf("%s is not read the short way", raw)
		}
		f.Add(raw)
	}
	for _, raw := range oddManifests {
		if _, ok := parsePlain([]byte(raw)); ok {
			f.Fatalf("%q is read the short way", raw)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := parsePlain([]byte(raw))
		if !ok {
			return
		}
		var want Manifest
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatalf("%q is read the short way: %v", raw, err)
		}
		if !reflect.DeepEqual(*got, want) {
			t.Fatalf("%q: %+v, want %+v", raw, *got, want)
		}
	})
}
