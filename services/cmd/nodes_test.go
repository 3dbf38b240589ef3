package cmd

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"hubledger/services/cmd/console"
	"hubledger/streams/streamtest"
)

// A cluster is what nodes share: NATS servers, a database and the key of the
// secrets.
type cluster struct {
	key  string
	args []string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return cluster{key.String() + "\n", []string{"--nats-url", streamtest.Cluster(t), "--postgres-url", postgres.URL(t)}}
}

// start starts n nodes at the same moment.
func (c cluster) start(t *testing.T, n int) []*hubProcess {
	t.Helper()
	nodes, failed := make([]*hubProcess, n), make([]error, n)
	program(t) // built before the race
	var starting sync.WaitGroup
	for i := range nodes {
		h := &hubProcess{Data: filepath.Join(t.TempDir(), "data"), Addr: freeAddr(t), t: t, args: c.args, log: &logBuffer{}}
		nodes[i] = h
		if err := os.Chmod(writeFile(t, filepath.Join(h.Data, "secrets.key"), c.key), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			h.Kill()
			if t.Failed() {
				t.Logf("log of the node on %s:\n%s", h.Addr, h.log)
			}
		})
		starting.Go(func() { failed[i] = h.TryStart() })
	}
	starting.Wait()
	for i, err := range failed {
		if err != nil {
			t.Fatalf("node %d does not start: %v", i, err)
		}
		same(t, "read-only", nodes[i].ReadOnly, false)
	}
	return nodes
}

func TestTwoNodes(t *testing.T) {
	shared := newCluster(t)
	nodes := shared.start(t, 2)
	a, b := nodes[0], nodes[1]

	t.Run("one first administrator", func(t *testing.T) {
		for _, h := range nodes {
			same(t, "administrator", admin.ask(t, h, "GET", "/v2/", nil).status, http.StatusOK)
		}
		events, stderr, code := a.Run("--json", "events", "ls", "--after", "0", "--limit", "10000")
		if code != console.ExitOK {
			t.Fatalf("events ls: exit %d, %s", code, stderr)
		}
		same(t, "events that make the first administrator", strings.Count(events, `"type":"hub.initialized.v1"`), 1)
		same(t, "namespaces created", strings.Count(events, `"type":"namespace.created.v1"`), 1)
	})
	alice := newUser(t, a, "alice")

	t.Run("tokens of one node are good on the other", func(t *testing.T) {
		keys := get(t, a.URL+"/.well-known/jwks.json", http.StatusOK)
		same(t, "public keys", string(get(t, b.URL+"/.well-known/jwks.json", http.StatusOK).body), string(keys.body))
		for i, h := range nodes {
			other := nodes[(i+1)%len(nodes)]
			byToken, _ := alice.token(t, h, "read")
			same(t, "access token", byToken.ask(t, other, "GET", "/api/v1/user", nil).status, http.StatusOK)
			registry := registryToken(t, alice, h)
			same(t, "registry token", bearing(t, other, "/v2/", registry), http.StatusOK)
			session := decode[struct{ Token string }](t, string(person{}.does(t, h, "POST", "/v2/users/login", object{"username": "alice", "password": alice.secret}).body)).Token
			same(t, "session", bearing(t, other, "/api/v1/user", session), http.StatusOK)
		}
	})
	t.Run("what one node revokes the other refuses", func(t *testing.T) {
		for i, h := range nodes {
			other := nodes[(i+1)%len(nodes)]
			byToken, id := alice.token(t, h, "read")
			registry := registryToken(t, byToken, other)
			accepted := map[string]func() int{
				"access token":   func() int { return byToken.ask(t, other, "GET", "/api/v1/user", nil).status },
				"registry token": func() int { return bearing(t, other, "/v2/", registry) },
			}
			for what, ask := range accepted {
				same(t, what, ask(), http.StatusOK)
			}
			alice.does(t, h, "DELETE", "/api/v1/users/alice/tokens/"+id, nil)
			for what, ask := range accepted {
				refusedForGood(t, what, ask)
			}
		}
	})
	t.Run("a password changed on one node is changed on the other", func(t *testing.T) {
		for i, h := range nodes {
			other := nodes[(i+1)%len(nodes)]
			before, registry := alice, registryToken(t, alice, other)
			same(t, "password", before.ask(t, other, "GET", "/api/v1/user", nil).status, http.StatusOK) // and is remembered there
			alice.secret = "password " + unique()
			before.does(t, h, "PUT", "/api/v1/users/alice/password", object{"old": before.secret, "new": alice.secret})
			refusedForGood(t, "the password before", func() int { return before.ask(t, other, "GET", "/api/v1/user", nil).status })
			refusedForGood(t, "a registry token for it", func() int { return bearing(t, other, "/v2/", registry) })
			same(t, "new password", alice.ask(t, other, "GET", "/api/v1/user", nil).status, http.StatusOK)
		}
	})
	t.Run("a third node joins", func(t *testing.T) {
		c := shared.start(t, 1)[0]
		same(t, "password", alice.ask(t, c, "GET", "/api/v1/user", nil).status, http.StatusOK)
		byToken, id := alice.token(t, c, "read")
		same(t, "its token", byToken.ask(t, a, "GET", "/api/v1/user", nil).status, http.StatusOK)
		alice.does(t, a, "DELETE", "/api/v1/users/alice/tokens/"+id, nil)
		refusedForGood(t, "its token", func() int { return byToken.ask(t, c, "GET", "/api/v1/user", nil).status })
		refusedForGood(t, "its token", func() int { return byToken.ask(t, b, "GET", "/api/v1/user", nil).status })
	})
}

// refusedForGood waits until something is refused, and checks that it stays
// refused. The promise is a second; the longer limit is for slow machines.
func refusedForGood(t *testing.T, what string, ask func() int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		status := ask()
		if status == http.StatusUnauthorized {
			break
		}
		if status != http.StatusOK && status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("%s: %d", what, status)
		}
	}
	for range 20 {
		if status := ask(); status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
			t.Fatalf("%s was refused, and then is answered with %d", what, status)
		}
	}
}

func registryToken(t *testing.T, p person, h *hubProcess) string {
	t.Helper()
	query := url.Values{"service": {"hubledger"}, "scope": {"repository:alice/app:pull"}}
	return decode[struct{ Token string }](t, string(p.does(t, h, "GET", "/token?"+query.Encode(), nil).body)).Token
}

// bearing is the status of the answer to a request with a bearer token.
func bearing(t *testing.T, h *hubProcess, path, token string) int {
	t.Helper()
	return person{}.ask(t, h, "GET", path, nil, "Authorization", "Bearer "+token).status
}
