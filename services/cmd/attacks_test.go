package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a hub keeps under attack. Attackers and client share its cores, so there are few
// of each kind, which send cheaply.
const (
	attackFor = 35 * time.Second
	calmFor   = 8 * time.Second
	// mostMemory bounds what the hub has resident at any time, in bytes: on two cores
	// the collector's limit is 720 MiB; SQLite's caches and the program file are beside it.
	mostMemory = 960 << 20
)

// An attack is something that a hub has to bear for as long as the test lasts.
type attack struct {
	name    string
	workers int // that do it at the same time
	// run does it once, from an address of its own, as a user with few rights.
	// Whether it is refused does not matter.
	run func(a *attacker)
}

// attacks are all of them: one line for each way to exhaust a hub.
var attacks = []attack{
	{"errors of a large body, unread", 2, func(a *attacker) {
		a.unread("PATCH", "/api/v1/repositories/mallory/app", []byte(`{"topics":[0`+strings.Repeat(",0", 500_000)+`]}`))
	}},
	{"a large answer, unread", 2, func(a *attacker) { a.unread("GET", "/v2/mallory/app/manifests/large", nil) }},
	{"large referrers, unread", 2, func(a *attacker) { a.unread("GET", "/v2/mallory/app/referrers/"+a.subject, nil) }},
	{"small answers, unread", 2, func(a *attacker) { a.pipeline("/v2/mallory/app/manifests/1", 2000) }},
	{"bodies that do not end", 2, func(a *attacker) { a.unfinished("PUT", "/v2/mallory/app/manifests/x", 4<<20) }},
	{"connections without requests", 1, func(a *attacker) { a.idle(200) }},
	{"a manifest of empty layers", 1, func(a *attacker) {
		a.send("PUT", "/v2/mallory/app/manifests/x", []byte(`{"schemaVersion":2,"layers":[{}`+strings.Repeat(",{}", 1<<20)+`]}`), "Content-Type", manifestType)
	}},
	{"a long README, again and again", 1, func(a *attacker) {
		a.send("PATCH", "/api/v1/repositories/mallory/app", []byte(fmt.Sprintf(`{"readme":"%s %d"}`, strings.Repeat("x", 90_000), rand.Int())))
	}},
	{"login tokens", 1, func(a *attacker) { a.send("GET", "/token?offline_token=true&client_id=x", nil) }},
	{"wrong passwords", 4, func(a *attacker) { a.guess("alice") }},
	{"long addresses", 1, func(a *attacker) { a.send("GET", "/v2/"+strings.Repeat("a/", 30_000)+"manifests/x", nil) }},
	{"paths that are no text", 1, func(a *attacker) { a.send("GET", "/v2/a%00/manifests/x?last=%ff", nil) }},
	{"searches", 2, func(a *attacker) { a.send("GET", "/v1/search?n=100&q="+strconv.Itoa(rand.IntN(1000)), nil) }},
	{"lists", 2, func(a *attacker) { a.send("GET", "/v2/_catalog?n="+strconv.Itoa(rand.IntN(10_000)), nil) }},
	{"usage", 1, func(a *attacker) { a.send("GET", "/api/v1/namespaces/mallory/usage", nil) }},
	{"ranges", 1, func(a *attacker) {
		a.send("GET", "/v2/mallory/app/blobs/"+a.blob, nil, "Range", "bytes="+strings.TrimSuffix(strings.Repeat("0-0,", 15_000), ","))
	}},
}

// A normal client is served while others do what they can to exhaust the hub: all its
// requests succeed, it is not starved, and the hub's memory and log are bounded. How much
// slower it gets is logged, not judged: that depends on what else the machine does.
func TestAttacks(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("attacks a hub for most of a minute: set HUBLEDGER_SOAK=1")
	}
	h := startHub(t, "--default-visibility=public")
	alice, mallory := newUser(t, h, "alice"), newUser(t, h, "mallory")
	prepared := prepareAttacks(t, h, mallory)

	client := newNormalClient(t, h, alice)
	calm := client.work(calmFor)

	end := time.Now().Add(attackFor)
	var attackers sync.WaitGroup
	for n, kind := range attacks {
		for k := range kind.workers {
			attackers.Go(func() {
				a := prepared.from(fmt.Sprintf("127.%d.%d.1", n+1, k))
				for time.Now().Before(end) {
					kind.run(a)
				}
			})
		}
	}
	attacked := client.work(attackFor)
	attackers.Wait()

	p99 := func(list []time.Duration) time.Duration { slices.Sort(list); return list[len(list)*99/100] }
	before, during := p99(calm), p99(attacked)
	peak := h.memory("VmHWM") << 10
	t.Logf("p99 of %d requests %v, of %d under attack %v (%.1f times); at most %d MiB resident, %d kB of log", len(calm), before,
		len(attacked), during, float64(during)/float64(before), peak>>20, len(h.Log())>>10)
	if len(attacked) < int(attackFor/time.Second) {
		t.Errorf("the normal client made %d requests in %v under attack", len(attacked), attackFor)
	}
	if peak > mostMemory {
		t.Errorf("the hub had %d MiB resident, not at most %d", peak>>20, mostMemory>>20)
	}
	if n := len(h.Log()); n > 4<<20 {
		t.Errorf("the hub logged %d bytes", n)
	}
}
