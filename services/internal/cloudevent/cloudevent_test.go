package cloudevent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"hubledger/events"
	"hubledger/projections/projectiontest"
	"hubledger/services/internal/cloudevent"
)

func sample(seq uint64, data string) events.Event {
	e := events.Event{Seq: seq, Subject: "evt._.hub._", Data: []byte(data)}
	for name, value := range map[string]string{events.AttrSpecVersion: "1.0", events.AttrID: "0199d6a5-3c00-7000-8000-000000000202", events.AttrSource: "/hub", events.AttrType: "hub.initialized.v1",
		events.AttrTime: "2026-11-01T12:00:00.000001Z", events.AttrActor: "a \"b\" \\ ü \u2028\n"} {
		e.Set(name, value)
	}
	return e
}

// What is written is a CloudEvent, one line, and comes back with the leaf that it had.
func TestThereAndBack(t *testing.T) {
	list := projectiontest.RegistryEvents(projectiontest.Seed(t), 200, 2).Events()
	for k, data := range []string{"", `{"a":1}`, ` {"a":1}`, "{\"a\":\n1}", "not JSON", "{\"a\":1}\n", "\xff\x00", `"ü"`, `{"html":"<a>&"}`, `{"a": 1.0e5 }`, "null", `{"data":{},"subject":"x"}`} {
		list = append(list, sample(uint64(10_000+k), data))
	}
	for _, e := range list {
		text, err := cloudevent.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil || bytes.ContainsAny(text, "\n\r") {
			t.Fatalf("%q: %v", text, err)
		}
		for _, name := range []string{"specversion", "id", "source", "type", "time", "subject", "sequence"} {
			if v, ok := members[name].(string); !ok || v == "" {
				t.Errorf("%s of %s is %v", name, text, members[name])
			}
		}
		back, err := cloudevent.Parse(text)
		if err != nil || events.LeafOf(&back) != events.LeafOf(&e) {
			t.Errorf("%s\ncame back as %+v, %v", text, back, err)
		}
	}
}

func TestRefused(t *testing.T) {
	bad := sample(1, "{}")
	for name, value := range map[string]string{"x": "1", "ce-data": "1", "ce-sequence": "1", "ce-actor": "\xff"} {
		e := bad
		e.Attributes = append([]events.Attribute{}, bad.Attributes...)
		e.Set(name, value)
		if text, err := cloudevent.Append(nil, &e); err == nil {
			t.Errorf("%s %q: %s", name, value, text)
		}
	}
	good, err := cloudevent.Append(nil, &bad)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{`"sequence":"1"`: `"sequence":"0"`, `"sequence":"`: `"sequence":"-`, `"sequence":"1",`: "", `"1.0"`: `"2.0"`, `{"actor":"`: `{"actor":1,"x":"`, `"data":{}`: `"data":{},"data_base64":"AA=="`, `{"actor"`: `["actor"`} {
		text := bytes.Replace(good, []byte(from), []byte(to), 1)
		if e, err := cloudevent.Parse(text); bytes.Equal(text, good) || err == nil {
			t.Errorf("%s is %+v", text, e)
		}
	}
}

// A Reader gives every line, and says at which one it fails.
func TestReader(t *testing.T) {
	var text []byte
	for k := range 3 {
		e := sample(uint64(k+1), `{"a":1}`)
		text, _ = cloudevent.Append(text, &e)
		text = append(text, '\n')
	}
	r := cloudevent.NewReader(bytes.NewReader(append(text, "\n{\n"...)))
	for k := range 3 {
		if e, err := r.Next(); err != nil || e.Seq != uint64(k+1) {
			t.Errorf("%d: %+v %v", k, e, err)
		}
	}
	if _, err := r.Next(); err == nil || errors.Is(err, io.EOF) || !bytes.Contains([]byte(err.Error()), []byte("line 5")) {
		t.Errorf("a line that is none: %v", err)
	}
	if _, err := cloudevent.NewReader(bytes.NewReader(nil)).Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the end is %v", err)
	}
}

func FuzzParse(f *testing.F) {
	e := sample(7, `{"a":1}`)
	text, err := cloudevent.Append(nil, &e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := cloudevent.Parse(text)
		if err != nil {
			return
		}
		again, err := cloudevent.Append(nil, &e)
		if err != nil {
			return // an attribute that the log does not have
		}
		back, err := cloudevent.Parse(again)
		if err != nil || events.LeafOf(&back) != events.LeafOf(&e) {
			t.Errorf("%q is written as %q, which is %+v, %v", text, again, back, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	list := projectiontest.RegistryEvents(projectiontest.Seed(b), 500, 0).Events()
	var line []byte
	for k := range b.N {
		var err error
		if line, err = cloudevent.Append(line[:0], &list[k%len(list)]); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(line)))
	}
}
