package fleet

import (
	"fmt"
	"testing"
	"time"

	"hubledger/services/internal/hosting"
)

// Hosts that are not heard any more, such as revoked ones, leave room for new ones; those
// that are heard stay.
func TestRoomForNewHosts(t *testing.T) {
	f := New()
	for k := range maxHosts {
		if !f.Observed(fmt.Sprint(k), hosting.Observation{}) {
			t.Fatalf("host %d is refused", k)
		}
	}
	if f.Observed("new", hosting.Observation{}) {
		t.Error("there is room though all hosts are heard")
	}
	f.hosts["7"].at = f.hosts["7"].at.Add(-2 * Silence)
	f.hosts["8"].at = f.hosts["8"].at.Add(-Silence - time.Second)
	if !f.Observed("new", hosting.Observation{}) {
		t.Error("a new host is refused though others are silent")
	}
	for id, want := range map[string]bool{"7": false, "8": true, "9": true, "new": true} {
		if _, _, known := f.Heard(id); known != want {
			t.Errorf("host %s is known: %v", id, known)
		}
	}
	if len(f.hosts) != maxHosts {
		t.Errorf("it remembers %d hosts", len(f.hosts))
	}
}
