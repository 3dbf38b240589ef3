// Package gen makes the JSON Schema of an event type from its Go struct.
package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
)

// Schema is the text of a type's schema, as it is committed.
func Schema(p events.Payload) ([]byte, error) {
	s, err := jsonschema.ForType(reflect.TypeOf(p), &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[digest.Digest](): {Type: "string", Pattern: "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},
		reflect.TypeFor[time.Time]():     {Type: "string", Format: "date-time"},
		reflect.TypeFor[[]byte]():        {Type: "string", ContentEncoding: "base64"},
	}})
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", p.EventType(), err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.ID = "urn:hubledger:event:" + p.EventType()
	s.Title = p.EventType()
	allowMoreFields(s)
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, raw, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// allowMoreFields lets later writers add fields: a released type may gain optional ones,
// and an older reader ignores them. What is absent is left out, never null.
func allowMoreFields(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		allowMoreFields(p)
	}
	allowMoreFields(s.Items)
}
