package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/operations"
)

// A SettingError says that the hub cannot run with a setting, so that starting
// again would not help.
type SettingError struct {
	Setting string // as people write it, such as --listen
	Err     error  // what is wrong, and what to write instead
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Err.Error() }
func (e *SettingError) Unwrap() error { return e.Err }

// ExitCode is the exit status of a command that fails for this reason. The systemd
// unit does not start the hub again after it.
func (e *SettingError) ExitCode() int { return 2 }

// CheckListen says whether --listen is an address with a port.
func CheckListen(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT, such as 127.0.0.1:5050, or 0.0.0.0:5050 for all addresses of this machine", listen)
	}
	return nil
}

// CheckNATSURL says whether --nats-url has the form of one URL or of several,
// separated by commas. The error does not repeat it, since it may have a password.
func CheckNATSURL(list string) error {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		if u, err := url.Parse(one); err != nil || u.Host == "" {
			return errors.New("it is not a URL such as nats://nats.example.com:4222, or several of them, separated by commas")
		}
	}
	return nil
}

// CheckPostgresURL says whether --postgres-url can be read.
func CheckPostgresURL(text string) error {
	if operations.CheckPostgresURL(text) != nil {
		return errors.New("it is not a URL such as postgres://USER:PASSWORD@HOST:5432/DATABASE")
	}
	return nil
}

// makeData makes the data directory.
func (c *Config) makeData() error {
	err := os.MkdirAll(c.Data, 0o700)
	if err == nil {
		return nil
	}
	return &SettingError{"--data", fmt.Errorf("make the data directory: %w: name another one, or make it and give it to the user that runs the hub", err)}
}

// explainInitialize says what to do when the first administrator cannot be made.
func (n *Node) explainInitialize(err error) error {
	switch {
	case errors.Is(err, account.ErrInvalid) && n.AdminPassword != "":
		return &SettingError{"HUBLEDGER_ADMIN_PASSWORD", err}
	case errors.Is(err, events.ErrNoSpace) && n.stores.Blobs != nil:
		left, free, _, serr := n.stores.Blobs.Space()
		if serr == nil {
			return fmt.Errorf("the disk of %s has %d bytes free, but %d are to stay free (the reserve): "+
				"free space, name a directory on another disk with --data, or a smaller reserve in bytes with --reserve", n.Data, free, free-left)
		}
	}
	return err
}

// explainListen says what to do about an address that cannot be listened on. Only
// the ports of others are a matter of settings: an address or a port may become
// free.
func (c *Config) explainListen(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%w; name another address with --listen", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		err = fmt.Errorf("%w: this machine does not have that address; name one that it has with --listen, or 0.0.0.0 for all of them", err)
	case errors.Is(err, syscall.EACCES):
		return &SettingError{"--listen", fmt.Errorf("%w: ports below 1024 need root or CAP_NET_BIND_SERVICE; name a higher one, such as 5050", err)}
	}
	return fmt.Errorf("listen on %s: %w", c.Listen, err)
}
