// Package pgtest gives tests a PostgreSQL of their own: one private server for
// each test binary, gone when the binary ends.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is a PostgreSQL cluster in a temporary directory. The zero value
// starts it at the first use; declare one as a package variable of the tests
// and call Main from TestMain.
type Server struct {
	once      sync.Once
	dir       string
	port      int
	cmd       *exec.Cmd
	err       error
	databases atomic.Int64
}

// errMissing: PostgreSQL is not installed.
var errMissing = errors.New("PostgreSQL is not installed (apt install postgresql)")

// Main runs the tests, stops the server and returns the exit code.
func (s *Server) Main(m *testing.M) int {
	defer s.stop()
	return m.Run()
}

// URL makes a new, empty database whose collation is not the byte order and
// returns its URL. Without PostgreSQL the test is skipped, or fails when
// HUBLEDGER_REQUIRE is 1.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	switch {
	case errors.Is(s.err, errMissing) && os.Getenv("HUBLEDGER_REQUIRE") != "1":
		t.Skip(s.err)
	case s.err != nil:
		t.Fatalf("start PostgreSQL: %v", s.err)
	}
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	s.exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en'", name))
	t.Cleanup(func() { s.exec(t, "postgres", fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)) })
	return s.url(name)
}

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *Server) exec(t testing.TB, database, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url(database))
	if err == nil {
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
	}
	if err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

func (s *Server) start() (err error) {
	bin, err := binaries()
	if err != nil {
		return err
	}
	as, err := unprivileged()
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(s.dir)
		}
	}()
	if as != nil {
		if err := os.Chown(s.dir, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = s.dir
		// The server must not outlive a test binary that is killed.
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT}
		cmd.Env = append(os.Environ(), "HOME="+s.dir)
		return cmd
	}
	initdb := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = run("postgres", "-D", data, "-p", strconv.Itoa(s.port), "-k", "", "-c", "listen_addresses=127.0.0.1",
		"-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "max_wal_size=4GB")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	if err := s.ready(); err != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) stop() {
	if s.cmd != nil && s.err == nil {
		s.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
		s.cmd.Wait()
		os.RemoveAll(s.dir)
	}
}

// binaries finds the directory of initdb and postgres: on PATH, or where
// Debian keeps them, the newest version first.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errMissing
	}
	slices.SortFunc(found, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(b, a)
	})
	return filepath.Dir(found[0]), nil
}

// unprivileged is the user to run as when we are root, which PostgreSQL
// refuses to be; nil otherwise.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("no user postgres or nobody to run PostgreSQL as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
