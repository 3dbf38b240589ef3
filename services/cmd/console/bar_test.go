package console

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := newSession(t, &out).Bar("working")
		is := func(want string) {
			t.Helper()
			if out.String() != want {
				t.Errorf("%q, want %q", out.String(), want)
			}
			out.Reset()
		}
		b.Set(0, 0, "")
		b.Set(1, 4, "blobs")
		is("") // it may be over at once
		time.Sleep(2 * time.Second)
		b.Set(1, 4, "blobs")
		b.Set(2, 4, "blobs")
		is("working: [=======                       ]  25% 1 of 4 blobs\n")
		time.Sleep(5 * time.Second)
		b.Set(3, 0, "")
		is("working: 3\n")
		b.Set(4, 4, "blobs")
		b.Set(4, 4, "blobs")
		b.End()
		is("working: [==============================] 100% 4 of 4 blobs\n")
	})
}
