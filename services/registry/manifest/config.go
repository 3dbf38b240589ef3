package manifest

import (
	"encoding/json"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
)

// maxConfig is how much of a config is read for its platform, in bytes.
const maxConfig = 1 << 20

// maxPlatform bounds what an event has of a platform, in bytes of its words.
const maxPlatform = 1 << 10

// ConfigOf is the blob that Describe can read. False for a manifest whose config
// is missing, of another kind or too large.
func ConfigOf(m *images.Manifest) (d digest.Digest, ok bool) {
	if m.Config == nil || m.Config.Size > maxConfig ||
		m.Config.MediaType != v1.MediaTypeImageConfig && m.Config.MediaType != typeDockerConfig {
		return "", false
	}
	return m.Config.Digest, true
}

// Describe reads platform and creation time from an image's config. Both are nil
// for a config that cannot be parsed: nothing in a config makes a push fail.
func Describe(config io.Reader) (*events.Platform, *time.Time) {
	raw, err := io.ReadAll(io.LimitReader(config, maxConfig))
	if err != nil {
		return nil, nil
	}
	var c struct {
		Created    string   `json:"created"`
		OS         string   `json:"os"`
		Arch       string   `json:"architecture"`
		Variant    string   `json:"variant"`
		OSVersion  string   `json:"os.version"`
		OSFeatures []string `json:"os.features"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return nil, nil
	}
	var created *time.Time
	if t, err := time.Parse(time.RFC3339Nano, c.Created); err == nil && t.Year() > 0 && t.Year() < 10000 {
		t = t.UTC()
		created = &t
	}
	length := len(c.OS) + len(c.Arch) + len(c.Variant) + len(c.OSVersion)
	for _, f := range c.OSFeatures {
		length += len(f)
	}
	if c.OS == "" && c.Arch == "" || length > maxPlatform {
		return nil, created
	}
	return &events.Platform{OS: c.OS, Architecture: c.Arch, Variant: c.Variant, OSVersion: c.OSVersion, OSFeatures: c.OSFeatures}, created
}
