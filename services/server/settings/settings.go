// Package settings has what can be wrong with the options of serve.
package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"hubledger/services/internal/operations"
)

// An Error says that the hub cannot run with a setting, so that starting
// again would not help.
type Error struct {
	Setting string // as people write it, such as --listen
	Err     error  // what is wrong, and what to write instead
}

func (e *Error) Error() string { return e.Setting + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ExitCode is the exit status of a command that fails for this reason. The systemd
// unit does not start the hub again after it.
func (e *Error) ExitCode() int { return 2 }

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
