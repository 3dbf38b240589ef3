package streams

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// StreamName is the stream that is the log.
const StreamName = "EVT"

// maxMsgSize bounds a message, headers and data, in bytes.
const maxMsgSize = 8 << 20

// duplicateWindow is how long the server remembers message ids.
const duplicateWindow = 10 * time.Minute

// Keys of the stream's own metadata. The server adds keys that begin with
// "_nats." and that no definition knows.
const (
	metaGeneration     = "generation"
	metaPrevious       = "previous-generation"
	metaPreviousLast   = "previous-last-sequence"
	serverMetaKeyStart = "_nats."
)

// definition is the whole configuration of EVT. What is left at zero is meant
// to be zero: the guard compares every field.
func definition(g Generation, replicas int) jetstream.StreamConfig {
	meta := map[string]string{metaGeneration: g.ID}
	if g.Previous != "" {
		meta[metaPrevious] = g.Previous
		meta[metaPreviousLast] = fmt.Sprint(g.PreviousLast)
	}
	return jetstream.StreamConfig{
		Name:        StreamName,
		Description: "the log of Hubledger: every event, for ever",
		Subjects:    []string{events.SubjectPrefix + ">"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		DenyDelete:  true,
		DenyPurge:   true,
		Compression: jetstream.NoCompression,
		Duplicates:  duplicateWindow,
		AllowDirect: true,
		Replicas:    replicas,

		MaxBytes:          g.MaxBytes,
		MaxMsgSize:        maxMsgSize,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxConsumers:      -1,
		MaxAge:            0,

		Metadata: meta,
	}
}

// differences lists every field in which a stream's configuration is not as
// defined, as "Field is x, not y".
func differences(want, have jetstream.StreamConfig) []string {
	have.Metadata = ownMetadata(have.Metadata)
	var out []string
	w, h := reflect.ValueOf(want), reflect.ValueOf(have)
	for i := range w.NumField() {
		a, b := w.Field(i), h.Field(i)
		if !reflect.DeepEqual(a.Interface(), b.Interface()) && !(empty(a) && empty(b)) {
			out = append(out, fmt.Sprintf("%s is %s, not %s", w.Type().Field(i).Name, show(b), show(a)))
		}
	}
	return out
}

// ownMetadata drops what the server notes in a stream's metadata for itself.
func ownMetadata(m map[string]string) map[string]string {
	own := map[string]string{}
	for k, v := range m {
		if !strings.HasPrefix(k, serverMetaKeyStart) {
			own[k] = v
		}
	}
	return own
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func show(v reflect.Value) string {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	return fmt.Sprintf("%+v", v.Interface())
}
