package registry

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A deadlined is a response whose read deadline was set.
type deadlined struct {
	http.ResponseWriter
	at time.Time
}

func (d *deadlined) SetReadDeadline(t time.Time) error { d.at = t; return nil }

// A dripping body has a byte a second, and ends when its deadline has passed.
type dripping struct{ *deadlined }

func (d dripping) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	if time.Now().After(d.at) {
		return 0, fmt.Errorf("i/o timeout")
	}
	p[0] = ' '
	return 1, nil
}
func (d dripping) Close() error { return nil }

// Sending a byte now and then keeps no manifest in memory for ever.
func TestSlowManifest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &deadlined{}
		began := time.Now()
		r, err := http.NewRequest("PUT", "/v2/alice/app/manifests/1", dripping{w})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = readManifest(w, r); err == nil {
			t.Fatal("a manifest of drops is taken")
		}
		if took := time.Since(began); took > 32*time.Second {
			t.Errorf("it was waited for for %s", took)
		}
		if !w.at.IsZero() {
			t.Errorf("the connection's deadline is left at %s", w.at)
		}
	})
}
