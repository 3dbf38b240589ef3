package balancer

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Socket is the path of HAProxy's runtime socket.
type Socket string

const (
	sayWithin = 5 * time.Second
	maxSaid   = 16 << 20 // bytes of an answer
)

// ask sends one command, and returns what HAProxy answers.
func (s Socket) ask(ctx context.Context, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sayWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", string(s))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, maxSaid))
}

// A stat is a server of a backend.
type stat struct {
	backend, server string
	sessions        int
	requests        int64  // since HAProxy was started
	status          string // such as UP, DOWN, DOWN 1/2, no check
}

// servers are those of an environment that have a name.
func (s Socket) servers(ctx context.Context, application, environment, server string) (list []stat, err error) {
	text, err := s.ask(ctx, "show stat -1 4 -1")
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(bufio.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "# "))))
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("HAProxy's statistics: %w", err)
	}
	backend, name, current, total, status := slices.Index(head, "pxname"), slices.Index(head, "svname"), slices.Index(head, "scur"), slices.Index(head, "stot"), slices.Index(head, "status")
	if backend < 0 || name < 0 || current < 0 || total < 0 || status < 0 {
		return nil, errors.New("HAProxy's statistics have no pxname, svname, scur, stot and status: is the socket's level operator or admin?")
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if len(row) <= max(backend, name, current, total, status) || row[name] != server || !strings.HasPrefix(row[backend], prefix(application, environment)) {
			continue
		}
		n, err := strconv.Atoi(row[current])
		if err != nil {
			return nil, fmt.Errorf("HAProxy's statistics: %w", err)
		}
		all, err := strconv.ParseInt(row[total], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("HAProxy's statistics: %w", err)
		}
		list = append(list, stat{row[backend], row[name], n, all, row[status]})
	}
}

// ErrForeign: HAProxy answers, and has no such server.
var ErrForeign = errors.New("HAProxy does not have the server")

// Load is how many sessions are open to a server, in all backends of an environment, and how many
// requests it got since HAProxy was started. ErrForeign.
func (s Socket) Load(ctx context.Context, application, environment, server string) (sessions int, requests int64, err error) {
	list, err := s.servers(ctx, application, environment, server)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%w: no backend %s… has a server %s", ErrForeign, prefix(application, environment), server)
	}
	for _, one := range list {
		sessions, requests = sessions+one.sessions, requests+one.requests
	}
	return sessions, requests, err
}

// Down says whether HAProxy sends nothing to a server of an environment because its own
// checks have not passed, in any backend.
func (s Socket) Down(ctx context.Context, application, environment, server string) (bool, error) {
	list, err := s.servers(ctx, application, environment, server)
	return slices.ContainsFunc(list, func(one stat) bool { return strings.HasPrefix(one.status, "DOWN") }), err
}

// Shutdown ends the sessions that are open to a server.
func (s Socket) Shutdown(ctx context.Context, application, environment, server string) error {
	list, err := s.servers(ctx, application, environment, server)
	if err != nil {
		return err
	}
	for _, one := range list {
		said, err := s.ask(ctx, "shutdown sessions server "+one.backend+"/"+one.server)
		if err == nil && len(strings.TrimSpace(string(said))) > 0 {
			err = fmt.Errorf("HAProxy answers %.200q", said)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// State is what HAProxy reads at its start by load-server-state-from-file: among others the
// weights that are in force.
func (s Socket) State(ctx context.Context) ([]byte, error) {
	text, err := s.ask(ctx, "show servers state")
	if err == nil && !strings.HasPrefix(string(text), "1\n") {
		err = fmt.Errorf("HAProxy answers %.200q to show servers state", text)
	}
	return text, err
}
