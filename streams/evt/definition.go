package evt

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/disk"
)

// StreamName is the stream that is the log.
const StreamName = "EVT"

// MaxMessageSize bounds a message, headers and data, in bytes.
const MaxMessageSize = 8 << 20

// DuplicateWindow is how long the server remembers message ids.
const DuplicateWindow = 10 * time.Minute

// Keys of the stream's own metadata. The server adds keys that begin with
// "_nats." and that no definition knows.
const (
	MetaGeneration = "generation"          // the id of the stream's generation
	MetaPrevious   = "previous-generation" // the id of the generation that it follows

	metaPreviousLast = "previous-last-sequence"
	serverMetaPrefix = "_nats."
)

// Definition is the whole configuration of EVT. What is left at zero is meant
// to be zero: the log guard compares every field.
func Definition(g Generation, replicas int) jetstream.StreamConfig {
	meta := map[string]string{MetaGeneration: g.ID}
	if g.Previous != "" {
		meta[MetaPrevious] = g.Previous
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
		Duplicates:  DuplicateWindow,
		AllowDirect: true,
		Replicas:    replicas,

		MaxBytes:          g.MaxBytes,
		MaxMsgSize:        MaxMessageSize,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxConsumers:      -1,
		MaxAge:            0,

		Metadata: meta,
	}
}

// Differences lists every field in which a stream's configuration is not as
// defined, as "Field is x, not y".
func Differences(want, have jetstream.StreamConfig) []string {
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

// ByteLimit is the stream's limit in bytes: the configured one or, when that
// is 0, what the stream has already plus what is free on the disk of dir.
func ByteLimit(dir string, configured, have int64) (int64, error) {
	if configured > 0 {
		return configured, nil
	}
	free, err := disk.FreeSpace(dir)
	if err != nil {
		return 0, err
	}
	return have + free, nil
}

// ownMetadata drops what the server notes in a stream's metadata for itself.
func ownMetadata(m map[string]string) map[string]string {
	own := map[string]string{}
	for k, v := range m {
		if !strings.HasPrefix(k, serverMetaPrefix) {
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
