package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"hubledger/streams/disk"
)

// A ballast is whole or not there, and is not made on a disk that it would fill: the
// log is written at the same moment.
func TestBallast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ballast")
	b := disk.NewBallast(path, 1<<20)
	is := func(what string, want int64) {
		t.Helper()
		has := int64(-1)
		if info, err := os.Stat(path); err == nil {
			has = info.Size()
		}
		if has != want {
			t.Errorf("%s: %d bytes, want %d", what, has, want)
		}
	}
	if err := b.Keep(1 << 60); err == nil {
		t.Error("made on a disk that it fills")
	}
	is("on a full disk", -1)
	if err := os.WriteFile(path, []byte("interrupted"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Keep(0); err != nil {
		t.Error(err)
	}
	is("after an interrupted attempt", 1<<20)
	if err := b.Keep(1 << 60); err != nil {
		t.Errorf("what is there is kept on a full disk: %v", err)
	}
	for _, want := range []bool{true, false} {
		if gave, err := b.GiveBack(); gave != want || err != nil {
			t.Errorf("gave %v, %v; want %v", gave, err, want)
		}
	}
	is("given back", -1)
	if err := disk.NewBallast(path, 0).Keep(0); err != nil {
		t.Error(err)
	}
	is("none is wanted", -1)
}
