package gitremote

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

var (
	// ErrProtocol: the other side does not speak git's protocol.
	ErrProtocol = errors.New("not the answer of a git host")
	// ErrTooManyRefs: the repository has more refs than can be listed.
	ErrTooManyRefs = errors.New("too many refs")
)

const (
	// MaxRefs bounds the refs of a repository, and with MaxRefName what they take.
	MaxRefs    = 100_000
	MaxRefName = 1024 // bytes; longer ones are left out
	maxAnswer  = 64 << 20
)

// A Ref is a branch or a tag at one moment.
type Ref struct {
	Name   string // full, such as refs/heads/main
	Object string // id of what it points to, in hexadecimal: a commit, or an annotated tag
	Peeled string // of an annotated tag: the id of what it is a tag of; else ""
}

// Commit is the id of the commit, as far as the host has told.
func (r Ref) Commit() string {
	if r.Peeled != "" {
		return r.Peeled
	}
	return r.Object
}

// An Advertisement is what a repository says of itself.
type Advertisement struct {
	Refs []Ref  // branches and tags, in the host's order
	Head string // name of the default branch's ref; "" when it is not told
	// Pulls are the pull requests, if they were asked for. PullsFrom is the lowest number
	// that was listed where there are more than MaxPulls, else 0.
	Pulls     []Pull
	PullsFrom int
}

// readAdvertisement reads the refs that git-upload-pack begins with (gitprotocol-pack,
// "Reference Discovery"), over HTTP with the line before it (gitprotocol-http, "Smart
// Clients").
func readAdvertisement(r io.Reader, http bool, pulls PullRefs) (a Advertisement, err error) {
	defer a.dropPulls()
	l := &pktReader{r: bufio.NewReader(io.LimitReader(r, maxAnswer))}
	if http {
		line, err := l.next()
		if err != nil {
			return a, err
		}
		if string(line) != "# service=git-upload-pack" {
			return a, fmt.Errorf("%w: it begins with %.40q", ErrProtocol, line)
		}
		if line, err = l.next(); err != nil {
			return a, err
		}
		if line != nil {
			return a, fmt.Errorf("%w: no end of its first part", ErrProtocol)
		}
	}
	for first := true; ; first = false {
		line, err := l.next()
		if err != nil {
			return a, err
		}
		if line == nil {
			return a, nil
		}
		if first {
			text, capabilities, _ := bytes.Cut(line, []byte{0})
			line, a.Head = text, defaultBranch(string(capabilities))
		}
		if err := a.add(line, pulls); err != nil {
			return a, err
		}
	}
}

func defaultBranch(capabilities string) string {
	for _, c := range strings.Fields(capabilities) {
		if to, ok := strings.CutPrefix(c, "symref=HEAD:"); ok && len(to) <= MaxRefName {
			return to
		}
	}
	return ""
}

func (a *Advertisement) add(line []byte, pulls PullRefs) error {
	if text, ok := bytes.CutPrefix(line, []byte("ERR ")); ok {
		return fmt.Errorf("the git host says: %.200q", text)
	}
	if bytes.HasPrefix(line, []byte("version ")) || bytes.HasPrefix(line, []byte("shallow ")) {
		return nil
	}
	object, name, ok := strings.Cut(string(line), " ")
	if raw, err := hex.DecodeString(object); !ok || err != nil || len(raw) != 20 && len(raw) != 32 || strings.ToLower(object) != object {
		return fmt.Errorf("%w: a line of refs is %.80q", ErrProtocol, line)
	}
	name, peeled := strings.CutSuffix(name, "^{}")
	if n := pulls.Number(name); n > 0 && !peeled {
		a.addPull(Pull{name, n, object})
	}
	if len(name) > MaxRefName || !strings.HasPrefix(name, "refs/heads/") && !strings.HasPrefix(name, "refs/tags/") {
		return nil
	}
	if peeled {
		if n := len(a.Refs); n > 0 && a.Refs[n-1].Name == name {
			a.Refs[n-1].Peeled = object
		}
		return nil
	}
	if len(a.Refs) == MaxRefs {
		return fmt.Errorf("%w: there are more than %d branches and tags", ErrTooManyRefs, MaxRefs)
	}
	a.Refs = append(a.Refs, Ref{Name: name, Object: object})
	return nil
}

// A pktReader reads lines that begin with their length (gitprotocol-common, "pkt-line
// Format").
type pktReader struct {
	r   *bufio.Reader
	buf [65516]byte
}

// next is the next line without its end, until the next call; nil is a flush.
func (p *pktReader) next() ([]byte, error) {
	if _, err := io.ReadFull(p.r, p.buf[:4]); err != nil {
		return nil, fmt.Errorf("%w: it ends early: %w", ErrProtocol, err)
	}
	n, err := strconv.ParseUint(string(p.buf[:4]), 16, 16)
	switch {
	case err != nil || n > 0 && n < 4 || int(n)-4 > len(p.buf):
		return nil, fmt.Errorf("%w: a line begins with %q", ErrProtocol, p.buf[:4])
	case n == 0:
		return nil, nil
	}
	line := p.buf[:n-4]
	if _, err := io.ReadFull(p.r, line); err != nil {
		return nil, fmt.Errorf("%w: it ends early: %w", ErrProtocol, err)
	}
	return bytes.TrimSuffix(line, []byte("\n")), nil
}
