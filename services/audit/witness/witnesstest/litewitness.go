// Package witnesstest runs litewitness, a witness that others have written, in tests.
package witnesstest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	_ "modernc.org/sqlite" // its database

	"hubledger/services/audit/witness"
)

// A Litewitness runs until the end of the test.
type Litewitness struct {
	t        testing.TB
	url, key string
	db       *sql.DB
	process  *exec.Cmd
}

// Start builds and runs one that knows no log. Where it cannot be built, which needs its
// modules, the test is skipped, or fails if everything is to be there.
func Start(t testing.TB) *Litewitness {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "litewitness")
	_, file, _, _ := runtime.Caller(0)
	build := exec.Command("go", "-C", filepath.Join(filepath.Dir(file), "../../../../tools/proofs"), "build", "-o", program, "filippo.io/torchwood/cmd/litewitness")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("litewitness cannot be built, which needs its modules: %v\n%s", err, out)
	}
	const name = "witness.test/lite"
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	l := &Litewitness{t: t, key: VerifierKey(name, public)}
	socket, fingerprint := l.keyAgent(private)
	l.open(filepath.Join(dir, "witness.db"))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	address := free.Addr().String()
	check(t, free.Close())
	l.url = "http://" + address
	l.process = exec.Command(program, "-name", name, "-db", filepath.Join(dir, "witness.db"), "-ssh-agent", socket, "-key", fingerprint, "-listen", address)
	l.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also when a test panics
	said := &bytes.Buffer{}
	l.process.Stdout, l.process.Stderr = said, said
	check(t, l.process.Start())
	t.Cleanup(l.Stop)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(l.url); err == nil {
			resp.Body.Close()
			return l
		}
		if time.Now().After(end) {
			l.Stop()
			t.Fatalf("litewitness does not listen:\n%s", said)
		}
	}
}

// VerifierKey is the key of a witness (C2SP signed-note, type cosignature/v1).
func VerifierKey(name string, public ed25519.PublicKey) string {
	typed := append([]byte{4}, public...)
	hash := sha256.Sum256(append([]byte(name+"\n"), typed...))
	return fmt.Sprintf("%s+%x+%s", name, hash[:4], base64.StdEncoding.EncodeToString(typed))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keyAgent serves the key as an ssh-agent does.
func (l *Litewitness) keyAgent(key ed25519.PrivateKey) (socket, fingerprint string) {
	l.t.Helper()
	short, err := os.MkdirTemp("", "w") // a socket's path is short
	check(l.t, err)
	l.t.Cleanup(func() { os.RemoveAll(short) })
	socket = filepath.Join(short, "agent")
	ring := agent.NewKeyring()
	check(l.t, ring.Add(agent.AddedKey{PrivateKey: key}))
	listener, err := net.Listen("unix", socket)
	check(l.t, err)
	l.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				agent.ServeAgent(ring, conn)
			}()
		}
	}()
	signer, err := ssh.NewSignerFromKey(key)
	check(l.t, err)
	return socket, ssh.FingerprintSHA256(signer.PublicKey())
}

// open makes the database, as the program itself would.
func (l *Litewitness) open(file string) {
	l.t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
	check(l.t, err)
	l.db = db
	l.t.Cleanup(func() { db.Close() })
	_, err = db.Exec(`CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
		CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin))`)
	check(l.t, err)
}

// AddLog lets it witness the log of a key.
func (l *Litewitness) AddLog(key string) {
	l.t.Helper()
	origin, _, _ := strings.Cut(key, "+")
	empty := sha256.Sum256(nil)
	_, err := l.db.Exec(`INSERT INTO log (origin, tree_size, tree_hash) VALUES ($1, 0, $2)`, origin, base64.StdEncoding.EncodeToString(empty[:]))
	check(l.t, err)
	_, err = l.db.Exec(`INSERT INTO key (origin, key) VALUES ($1, $2)`, origin, key)
	check(l.t, err)
}

// Key is its public key.
func (l *Litewitness) Key() string { return l.key }

// Named is how an operator names it to a hub.
func (l *Litewitness) Named() string { return l.url + " " + l.key }

// Witness asks it; it remembers nothing of one that was made before.
func (l *Litewitness) Witness() *witness.Witness {
	l.t.Helper()
	w, err := witness.Parse(l.Named())
	check(l.t, err)
	return w
}

// Stop ends it.
func (l *Litewitness) Stop() {
	if l.process.ProcessState == nil {
		l.process.Process.Kill()
		l.process.Wait()
	}
}
