package events

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"hubledger/events/plain"

	"github.com/opencontainers/go-digest"
)

// decodePushed is what encoding/json makes of an image.pushed, in a fraction of the
// time: json scans the manifest's base64, which is most of the data, three times.
func decodePushed(data []byte) (Payload, error) {
	if p, ok := plainPushed(data); ok {
		return p, nil
	}
	var p ImagePushed
	err := json.Unmarshal(data, &p)
	return p, err
}

// plainPushed decodes plain data; false leaves any other to json.
func plainPushed(data []byte) (p ImagePushed, ok bool) {
	j := plain.New(data)
	j.Object(func(key []byte) {
		switch string(key) {
		case "namespace":
			p.Namespace = string(j.Text())
		case "repository":
			p.Repository = string(j.Text())
		case "tag":
			p.Tag = string(j.Text())
		case "digest":
			p.Digest = digest.Digest(j.Text())
		case "mediaType":
			p.MediaType = string(j.Text())
		case "platform":
			plainPlatform(j, &p.Platform)
		case "created":
			p.Created = new(time.Time)
			if p.Created.UnmarshalText(j.Text()) != nil {
				j.Odd()
			}
		case "absent":
			plainDigests(j, &p.Absent)
		case "blobs":
			plainDigests(j, &p.Blobs)
		case "newLayers":
			n := j.Number()
			p.NewLayers = &n
		case "manifest":
			text := j.Text()
			manifest := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
			n, err := base64.StdEncoding.Decode(manifest, text)
			if p.Manifest = manifest[:n]; err != nil {
				j.Odd()
			}
		default:
			j.Odd()
		}
	})
	return p, j.Done()
}

func plainDigests(j *plain.Reader, list *[]digest.Digest) {
	*list = []digest.Digest{}
	j.List(func() { *list = append(*list, digest.Digest(j.Text())) })
}

func plainPlatform(j *plain.Reader, of **Platform) {
	if *of != nil { // json would merge them
		j.Odd()
		return
	}
	is := &Platform{}
	*of = is
	j.Object(func(key []byte) {
		switch string(key) {
		case "os":
			is.OS = string(j.Text())
		case "architecture":
			is.Architecture = string(j.Text())
		case "variant":
			is.Variant = string(j.Text())
		case "osVersion":
			is.OSVersion = string(j.Text())
		default:
			j.Odd()
		}
	})
}
