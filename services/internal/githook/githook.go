// Package githook verifies and reads the webhooks of git hosts. It does no I/O.
// What a webhook says is a hint: nothing that follows rests on it but a look at the
// git repository.
//
// A webhook is verified and read as one of the kind of host that the settings of its
// source name, whatever its headers claim: Gitea sends GitHub's headers, too.
package githook

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

// MaxBody bounds the body of a webhook, in bytes. It is what GitHub sends at most.
const MaxBody = 25 << 20

// Bounds of what is kept of a webhook. MaxRefs is a number of refs, the others are
// bytes.
const (
	MaxRefs   = 100
	maxName   = 1024 // of a ref
	maxURL    = 1024
	maxID     = 200 // of a delivery
	maxEvent  = 100
	maxHeader = 256
)

// ErrShape: the webhook is not one of its kind of host. The error's text says what
// is wrong with it, and shows nothing of it that a terminal would act on.
var ErrShape = errors.New("this is not a webhook that can be read")

func shapeError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrShape}, args...)...)
}

// A Hook is what a webhook says.
type Hook struct {
	// Delivery is the host's id of the delivery, or the digest of the body when
	// the host sends none; then Derived is true, and two deliveries with the same
	// body look the same.
	Delivery string
	Derived  bool
	// Event is what the host calls it, such as push, tag_push or repo:push.
	Event string
	// Ping says that the host only tries whether it is heard. A ping has no refs.
	Ping bool
	// Refs are the branches and tags that it says have changed, at most MaxRefs.
	// A name is at most 1024 bytes of UTF-8 without null characters; show it by
	// plaintext.Line.
	Refs []events.HookRef
	// More is how many it names beyond them, those with too long names among them.
	More int
	// Repository is the URL of the git repository that it names, without
	// credentials; "" when it names none.
	Repository string
	// PullRequest is what it says of a pull request, nil when it is about none.
	PullRequest *PullRequest
	// Headers are those that say what it is, by their canonical names.
	Headers map[string]string
}

// Parse reads a webhook of a kind of host. Call it after Verify. The error wraps
// ErrShape.
func Parse(host string, header http.Header, body []byte) (*Hook, error) {
	text, err := payload(header, body)
	if err != nil {
		return nil, err
	}
	h := &Hook{Headers: telling(header)}
	if h.Delivery, err = oneLine(header, deliveryHeader[host], maxID); err != nil {
		return nil, err
	}
	if h.Delivery == "" {
		h.Delivery, h.Derived = digest.FromBytes(body).String(), true
	}
	if h.Event, err = oneLine(header, eventHeader[host], maxEvent); err != nil {
		return nil, err
	}
	d := &document{}
	switch host {
	case events.HostGitHub, events.HostGit:
		h.readGitHub(d, text, host == events.HostGit)
	case events.HostGitea:
		h.readGitHub(d, text, false)
		h.dropTest()
	case events.HostGitLab:
		h.readGitLab(d, text)
	case events.HostBitbucket:
		h.readBitbucket(d, text)
	case events.HostBitbucketServer:
		h.readBitbucketServer(d, text)
	default:
		return nil, fmt.Errorf("there is no kind of git host %q", host)
	}
	h.PullRequest = readPull(host, h.Event, text)
	if d.err == nil && h.Event == "" {
		d.err = shapeError("the header %s is missing", eventHeader[host])
	}
	return h, d.err
}

// The headers that say which delivery it is, and of what. Forgejo sends those of
// Gitea, too.
var (
	deliveryHeader = map[string]string{events.HostGitHub: "X-Github-Delivery", events.HostGit: "X-Github-Delivery", events.HostGitea: "X-Gitea-Delivery",
		events.HostGitLab: "Idempotency-Key", events.HostBitbucket: "X-Request-Uuid", events.HostBitbucketServer: "X-Request-Id"}
	eventHeader = map[string]string{events.HostGitHub: "X-Github-Event", events.HostGit: "X-Github-Event", events.HostGitea: "X-Gitea-Event",
		events.HostGitLab: "X-Gitlab-Event", events.HostBitbucket: "X-Event-Key", events.HostBitbucketServer: "X-Event-Key"}
)

// kept are the headers that a person who looks for a fault wants to see. None of
// them has a secret or a signature.
var kept = []string{"Content-Type", "User-Agent",
	"X-Github-Event", "X-Github-Delivery", "X-Github-Hook-Id", "X-Github-Enterprise-Host",
	"X-Gitea-Event", "X-Gitea-Event-Type", "X-Gitea-Delivery", "X-Forgejo-Event", "X-Forgejo-Delivery",
	"X-Gitlab-Event", "X-Gitlab-Instance", "X-Gitlab-Event-Uuid", "X-Gitlab-Webhook-Uuid", "Idempotency-Key", "Webhook-Id", "Webhook-Timestamp",
	"X-Event-Key", "X-Hook-Uuid", "X-Request-Uuid", "X-Request-Id", "X-Attempt-Number"}

func telling(header http.Header) map[string]string {
	found := map[string]string{}
	for _, name := range kept {
		if value := header.Get(name); value != "" {
			found[name] = cut(value, maxHeader)
		}
	}
	return found
}

// cut is at most max bytes of a text, as valid UTF-8 that is safe to show.
func cut(s string, max int) string {
	if s = plaintext.Line(s); len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// oneLine is the value of a header, "" when it is missing.
func oneLine(header http.Header, name string, max int) (string, error) {
	switch value := header.Values(name); {
	case len(value) == 0:
		return "", nil
	case len(value) > 1:
		return "", shapeError("the header %s is there %d times", name, len(value))
	case len(value[0]) > max || !plaintext.IsLine(value[0]):
		return "", shapeError("the header %s is longer than %d bytes or is no text", name, max)
	default:
		return value[0], nil
	}
}
