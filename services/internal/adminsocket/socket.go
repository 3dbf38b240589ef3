// Package adminsocket is how the command line talks to the hub that runs on a
// data directory: over a unix socket that only the directory's owner can open.
// A request is HTTP; an answer is lines of JSON, sent as they are ready: see
// Message.
package adminsocket

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// maxSocketPath is how long a socket's path may be on Linux, in bytes (unix(7)).
const maxSocketPath = 107

// Path is where the hub that runs on a data directory listens.
func Path(data string) string { return filepath.Join(data, "admin.sock") }

// shortPath names a socket by a path that is short enough, if necessary through
// the open directory. The directory must stay open while the path is used.
func shortPath(path string) (short string, dir *os.File, err error) {
	if len(path) <= maxSocketPath {
		return path, nil, nil
	}
	if dir, err = os.Open(filepath.Dir(path)); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), dir, nil
}

// Listen makes a unix socket that only its owner can open: it is created in a
// private directory, and moved into place when its mode is set.
func Listen(path string) (net.Listener, error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".admin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	short, dir, err := shortPath(made)
	if err != nil {
		return nil, err
	}
	if dir != nil {
		defer dir.Close()
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it will have another name by then
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Dial connects to a hub's socket.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	short, dir, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	if dir != nil {
		defer dir.Close()
	}
	return (&net.Dialer{}).DialContext(ctx, "unix", short)
}
