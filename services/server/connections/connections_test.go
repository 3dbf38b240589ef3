package connections

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose clients are in the same process.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A from is a connection from an address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.addr + ":1"))
}

// serve serves h with those bounds, and gives a function that connects to it.
func serve(t *testing.T, c Config, h http.Handler) (connect func(addr string) net.Conn) {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	if c.Uncounted == nil {
		c.Uncounted = netip.Addr.IsLoopback
	}
	all := make(pipes)
	l := New(all, c)
	server := &http.Server{Handler: h, ConnState: l.State}
	go server.Serve(l)
	t.Cleanup(func() {
		close(all)
		server.Close()
	})
	return func(addr string) net.Conn {
		mine, theirs := net.Pipe()
		t.Cleanup(func() { mine.Close() })
		all <- from{theirs, addr}
		return mine
	}
}

// get sends a request and reads its answer; false when the connection is closed.
func get(c net.Conn) bool {
	if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: hub\r\n\r\n"); err != nil {
		return false
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	synctest.Wait() // until the server knows that the connection waits
	return err == nil
}

// A client that does not read its answer, or its many small answers, is left after a
// while; one that reads slowly gets all.
func TestUnreadAnswersEnd(t *testing.T) {
	for what, request := range map[string]string{
		"a large answer": "GET /large HTTP/1.1\r\nHost: hub\r\n\r\n",
		"many small":     strings.Repeat("GET / HTTP/1.1\r\nHost: hub\r\n\r\n", 50),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan time.Time, 100)
				connect := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n := 100
					if r.URL.Path == "/large" {
						n = 8 << 20
					}
					if _, err := w.Write(make([]byte, n)); err != nil {
						ended <- time.Now()
					}
				}))
				c, begun := connect("192.0.2.1"), time.Now()
				go io.WriteString(c, request)
				time.Sleep(2 * stalled)
				synctest.Wait()
				if n, err := c.Read(make([]byte, 100)); err == nil {
					t.Errorf("%d bytes could be read after %v", n, time.Since(begun))
				}
			})
		})
	}
	// The server removes deadlines after the answer before.
	t.Run("the second answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			connect := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 8<<20)) }))
			c := connect("192.0.2.1")
			if !get(c) {
				t.Fatal("no first answer")
			}
			go io.WriteString(c, "GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
			time.Sleep(2 * stalled)
			synctest.Wait()
			if n, err := c.Read(make([]byte, 100)); err == nil {
				t.Errorf("%d bytes could be read", n)
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		connect := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 4<<20)) }))
		c := connect("192.0.2.1")
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
		total := 0
		for buf := make([]byte, piece/4); ; time.Sleep(stalled / 6) {
			n, err := io.ReadFull(c, buf)
			total += n
			if err != nil {
				break
			}
		}
		if total < 4<<20 {
			t.Errorf("a slow client got %d bytes", total)
		}
	})
}

// Beyond a bound the connection that has waited longest for a request makes room, of
// the same network or of all; those that are served do not.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		connect := serve(t, Config{Most: 4, ByNetwork: 2}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-release
			}
		}))
		first, second := connect("192.0.2.1"), connect("192.0.2.1")
		if !get(first) || !get(second) || !get(first) {
			t.Fatal("not served")
		}
		third := connect("192.0.2.1") // the second has waited longest
		if synctest.Wait(); !get(third) || get(second) || !get(first) {
			t.Error("not the connection that waited longest made room")
		}
		for _, c := range []net.Conn{first, third} {
			io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: hub\r\n\r\n")
		}
		synctest.Wait()
		if get(connect("192.0.2.1")) {
			t.Error("a third connection was served beside two that are busy")
		}
		// Others, of which this machine is not counted by network, up to the bound of all.
		other, local := connect("198.51.100.7"), connect("127.0.0.1")
		if !get(other) || !get(local) {
			t.Error("another network was not served")
		}
		if more := connect("127.0.0.1"); !get(more) || get(other) || !get(local) {
			t.Error("beyond the bound of all, not the one that waited longest made room")
		}
		close(release)
		synctest.Wait()
		answer := make([]byte, 15)
		if _, err := io.ReadFull(first, answer); err != nil || string(answer) != "HTTP/1.1 200 OK" {
			t.Errorf("a busy connection: %q, %v", answer, err)
		}
	})
}

// Files go through the connection whole, also those longer than a piece.
func TestFiles(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 3*piece/16)
	want = append(want, "end"...)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(raw, Config{Uncounted: netip.Addr.IsLoopback, Logger: slog.New(slog.DiscardHandler)})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }), ConnState: l.State}
	go server.Serve(l)
	defer server.Shutdown(context.Background())
	for _, header := range []string{"", "bytes=7-", "bytes=262144-524287"} {
		r, _ := http.NewRequest("GET", "http://"+raw.Addr().String(), nil)
		whole := want
		if header != "" {
			r.Header.Set("Range", header)
			whole = want[7:]
			if strings.HasSuffix(header, "7") {
				whole = want[262144:524288]
			}
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%q: %d bytes of %d, %v", header, len(got), len(whole), err)
		}
	}
}

// A kernel notes the files that it is given to send.
type kernel struct {
	net.Conn
	files, others int
}

func (k *kernel) SetWriteDeadline(time.Time) error { return nil }

func (k *kernel) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if ok {
		_, ok = limited.R.(*os.File)
	}
	if ok {
		k.files++
	} else {
		k.others++
	}
	return io.Copy(io.Discard, r)
}

// The kernel gets files as they are, piece by piece.
func TestFilesStayFiles(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "blob"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(2*piece + 1); err != nil {
		t.Fatal(err)
	}
	k := &kernel{}
	if n, err := (&connection{Conn: k}).ReadFrom(&io.LimitedReader{R: f, N: 2*piece + 1}); err != nil || n != 2*piece+1 || k.files != 3 || k.others > 0 {
		t.Errorf("%d bytes, %v; %d pieces came as a file, %d did not", n, err, k.files, k.others)
	}
}

func TestLimit(t *testing.T) {
	if n := Limit(); n < 16 || n > maxOpen {
		t.Errorf("%d", n)
	}
}
