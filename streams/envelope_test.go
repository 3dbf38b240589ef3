package streams_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
	"hubledger/streams/streamtest"
)

func TestWhatCannotBeReadBackIsNotSent(t *testing.T) {
	l := streamtest.Open(t, "")
	for name, change := range map[string]func(*events.Event){
		"line break in a value":  func(e *events.Event) { e.Set(events.AttrActor, "a\r\nNats-Rollup: all") },
		"tab":                    func(e *events.Event) { e.Set(events.AttrActor, "a\tb") },
		"not ASCII":              func(e *events.Event) { e.Set(events.AttrActor, "jürgen") },
		"NUL":                    func(e *events.Event) { e.Set(events.AttrActor, "a\x00") },
		"space at the end":       func(e *events.Event) { e.Set(events.AttrActor, "a ") },
		"capital in a name":      func(e *events.Event) { e.Set("ce-Actor", "a") },
		"colon in a name":        func(e *events.Event) { e.Set("ce-a:b", "a") },
		"foreign name":           func(e *events.Event) { e.Set("Nats-Msg-Id", "a") },
		"attributes not sorted":  func(e *events.Event) { e.Attributes[0], e.Attributes[1] = e.Attributes[1], e.Attributes[0] },
		"no id":                  func(e *events.Event) { e.Set(events.AttrID, "") },
		"wildcard":               func(e *events.Event) { e.Subject = "evt._.namespace.*" },
		"tail wildcard":          func(e *events.Event) { e.Subject = "evt._.>" },
		"empty token":            func(e *events.Event) { e.Subject = "evt._..x" },
		"space in the subject":   func(e *events.Event) { e.Subject = "evt._.a b" },
		"another stream's":       func(e *events.Event) { e.Subject = "buildlog.x" },
		"more data than allowed": func(e *events.Event) { e.Data = make([]byte, events.MaxDataSize+1) },
	} {
		e := newEvent(t, "id", "alice")
		change(&e)
		if seq, err := l.Append(context.Background(), e, 0); err == nil {
			t.Errorf("%s: appended as %d", name, seq)
		}
	}
	if n, err := l.LastSeq(context.Background()); n != 0 || err != nil {
		t.Errorf("the log has %d events, %v", n, err)
	}
}

func TestLargestEvent(t *testing.T) {
	l := streamtest.Open(t, "")
	e := newEvent(t, "id", "alice")
	e.Data = fmt.Appendf(nil, "%q", strings.Repeat("x", events.MaxDataSize-2))
	if _, err := l.Append(context.Background(), e, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Last(context.Background(), e.Subject); err != nil || len(got.Data) != events.MaxDataSize {
		t.Errorf("read back: %v", err)
	}
}

func TestLogTimeNeverRunsBackwards(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	// The last event of this log was written by a clock that was ahead.
	ahead := time.Now().UTC().Add(time.Hour)
	old := newEvent(t, "id-1", "name-1")
	old.Seq = 1
	old.Set(events.AttrTime, ahead.Format(events.TimeLayout))
	if _, err := restore.Run(ctx, quietRestore(dir), restore.Copy{Entries: memoryJournal{{Event: old, Leaf: events.LeafOf(&old)}}.all}); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir)
	appendN(t, l, 2, 10)
	j := journalOf(t, l, 10)
	for i := range j[1:] {
		if a, b := j[i].Event.Time(), j[i+1].Event.Time(); !a.Before(b) {
			t.Errorf("event %d is of %v, the next of %v", i+1, a, b)
		}
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	_, err := streams.Open(context.Background(), quiet(dir))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("the error is %v", err)
	}
}
