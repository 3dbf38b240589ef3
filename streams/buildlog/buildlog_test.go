package buildlog_test

import (
	"bytes"
	"strings"
	"testing"

	"hubledger/streams"
	"hubledger/streams/buildlog"
	"hubledger/streams/streamtest"
)

const (
	first  = "0191d1a0-0000-7000-8000-000000000001"
	second = "0191d1a0-0000-7000-8000-000000000002"
)

// What a build wrote is read in order, from any place, apart from what others wrote.
func TestReadBehind(t *testing.T) {
	ctx := t.Context()
	store, err := streams.OpenBuildLog(ctx, streamtest.Open(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for k := range 6 {
		build, text := first, "one "
		if k%2 == 1 {
			build, text = second, "two "
		}
		if err := store.Append(ctx, build, k/2, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Append(ctx, first, 9, []byte("\x00\xff\r\x1b[31m")); err != nil {
		t.Fatal(err)
	}
	read := func(build string, after uint64, max int) (text string, last uint64, steps []int) {
		list, err := store.Read(ctx, build, after, max)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			text, last, steps = text+string(c.Data), c.Seq, append(steps, c.Step)
			if c.Time.IsZero() {
				t.Error("a chunk has no time")
			}
		}
		return text, last, steps
	}
	text, last, steps := read(first, 0, 1<<20)
	if text != "one one one \x00\xff\r\x1b[31m" || len(steps) != 4 || steps[1] != 1 || steps[3] != 9 {
		t.Errorf("read %q of steps %v", text, steps)
	}
	if text, _, _ := read(first, last, 1<<20); text != "" {
		t.Errorf("behind the end there is %q", text)
	}
	text, last, _ = read(second, 0, 1)
	if rest, _, _ := read(second, last, 1<<20); text != "two " || rest != "two two " {
		t.Errorf("read in two pieces: %q and %q", text, rest)
	}
	if list, err := store.Read(ctx, strings.Repeat("0", 36), 0, 99); err != nil || len(list) != 0 {
		t.Errorf("of a build that wrote nothing: %v, %v", list, err)
	}
	for _, bad := range []string{"", "*", ">", first + ".x", strings.ToUpper("0191d1a0-0000-7000-8000-00000000000a")} {
		if err := store.Append(ctx, bad, 1, nil); err == nil {
			t.Errorf("a log of %q is kept", bad)
		}
		if _, err := store.Read(ctx, bad, 0, 1); err == nil {
			t.Errorf("a log of %q is read", bad)
		}
	}
	if err := store.Append(ctx, first, 1, bytes.Repeat([]byte("x"), buildlog.MaxChunk+1)); err == nil {
		t.Error("a chunk that is too large is kept")
	}
}
