// Package hookbodies keeps the bodies of webhooks for a while in a stream beside
// the log. They name people, so they are not in the log, which is kept for ever:
// an event has a body's digest, by which it is found here.
package hookbodies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"
)

// StreamName is the stream, and subjectPrefix begins its subjects:
// hook.<source id>.<SHA-256 of the body in hex>.<number of the part>.
const (
	StreamName    = "HOOKS"
	subjectPrefix = "hook."
)

// partSize is how many bytes of a body one message has at most.
const partSize = 1 << 20

// partsHeader says how many parts a body has.
const partsHeader = "Hook-Parts"

// MaxSize bounds a body, in bytes.
const MaxSize = 25 << 20

// ErrGone: the body is not kept any more, or never was. It wraps fs.ErrNotExist.
var ErrGone = fmt.Errorf("the body is not kept any more: %w", fs.ErrNotExist)

// requestTimeout bounds one request to the servers.
const requestTimeout = 10 * time.Second

// A Store keeps bodies. Its methods may be called from several goroutines.
type Store struct {
	config Config
	stream jetstream.Stream
}

// Put keeps the body of a webhook for a source and returns its digest. When it
// returns, the body can be read; it is written to disk within milliseconds, and synced
// within two minutes: one server does not make webhooks wait for a second disk write,
// and after a power cut the event is there without its body. A body that is kept already
// is kept for its whole time again. The error wraps events.ErrReadOnly or events.ErrNoSpace
// when nothing may be written.
func (s *Store) Put(ctx context.Context, source string, body []byte) (digest.Digest, error) {
	sum := digest.FromBytes(body)
	subject, err := subjectOf(source, sum)
	if err != nil {
		return "", err
	}
	if len(body) > MaxSize {
		return "", fmt.Errorf("the body of a webhook has %d bytes, %d can be kept", len(body), MaxSize)
	}
	if err := s.config.Room(len(body) + partSize); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	parts := max(1, (len(body)+partSize-1)/partSize)
	// The first part is written last: with it, all of them are there.
	for k := parts - 1; k >= 0; k-- {
		m := nats.NewMsg(subject + "." + strconv.Itoa(k))
		m.Header.Set(partsHeader, strconv.Itoa(parts))
		m.Data = body[k*partSize : min(len(body), (k+1)*partSize)]
		if _, err := s.config.JetStream.PublishMsg(ctx, m); err != nil {
			return "", fmt.Errorf("keep the body of a webhook: %w", err)
		}
	}
	return sum, nil
}

// Get reads a body of a source by its digest. ErrGone.
func (s *Store) Get(ctx context.Context, source string, sum digest.Digest) ([]byte, error) {
	subject, err := subjectOf(source, sum)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	first, err := s.part(ctx, subject, 0)
	if err != nil {
		return nil, err
	}
	parts, err := strconv.Atoi(first.Header.Get(partsHeader))
	if err != nil || parts < 1 || parts > MaxSize/partSize {
		return nil, fmt.Errorf("the stored body %s has %q parts", sum, first.Header.Get(partsHeader))
	}
	body := bytes.NewBuffer(first.Data)
	for k := 1; k < parts; k++ {
		m, err := s.part(ctx, subject, k)
		if err != nil {
			return nil, err
		}
		body.Write(m.Data)
	}
	if digest.FromBytes(body.Bytes()) != sum {
		return nil, fmt.Errorf("the stored body %s has the digest %s", sum, digest.FromBytes(body.Bytes()))
	}
	return body.Bytes(), nil
}

// part asks the stream's leader: another replica may not have it yet.
func (s *Store) part(ctx context.Context, subject string, k int) (*jetstream.RawStreamMsg, error) {
	m, err := s.stream.GetLastMsgForSubject(ctx, subject+"."+strconv.Itoa(k))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("read the body of a webhook: %w", err)
	}
	return m, nil
}

// Purge removes all bodies of a source. None can be read afterwards; the servers'
// files lose them when they are compacted, at the latest when their time is over.
func (s *Store) Purge(ctx context.Context, source string) error {
	if !sourceSyntax.MatchString(source) {
		return fmt.Errorf("%.80q is not the id of a source", source)
	}
	if err := s.config.ReadOnly(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(subjectPrefix+source+".>")); err != nil {
		return fmt.Errorf("remove the bodies of webhooks: %w", err)
	}
	return nil
}

var sourceSyntax = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func subjectOf(source string, sum digest.Digest) (string, error) {
	if !sourceSyntax.MatchString(source) {
		return "", fmt.Errorf("%.80q is not the id of a source", source)
	}
	if err := sum.Validate(); err != nil || sum.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("%.80q is not the digest of a body", sum)
	}
	return subjectPrefix + source + "." + sum.Encoded(), nil
}
