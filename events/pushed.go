package events

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// decodePushed is what encoding/json makes of an image.pushed, in less than half the
// time: our own encoder writes the manifest as the last member, and nearly all of
// the data is its base64, which json would scan three times. Data of any other form
// is left to json.
func decodePushed(data []byte) (Payload, error) {
	if p, ok := decodeManifestLast(data); ok {
		return p, nil
	}
	var p ImagePushed
	err := json.Unmarshal(data, &p)
	return p, err
}

// decodeManifestLast decodes data that end in ,"manifest":"<base64>"}. What stands
// before the comma has to be an object with members once it is closed, so that
// the comma can be neither in a text nor in an inner object.
func decodeManifestLast(data []byte) (p ImagePushed, ok bool) {
	const member, end = `,"manifest":"`, `"}`
	body, ok := bytes.CutSuffix(data, []byte(end))
	if !ok {
		return p, false
	}
	text := body[bytes.LastIndexByte(body, '"')+1:] // base64 has no quotation mark
	rest, ok := bytes.CutSuffix(body[:len(body)-len(text)], []byte(member))
	if !ok || bytes.ContainsAny(text, "\r\n") { // which base64 skips and json refuses
		return p, false
	}
	object := append(make([]byte, 0, len(rest)+1), rest...)
	if json.Unmarshal(append(object, '}'), &p) != nil || p.Digest == "" {
		return p, false
	}
	manifest := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(manifest, text)
	p.Manifest = manifest[:n]
	return p, err == nil
}
