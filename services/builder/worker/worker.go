// Package worker runs builds on this machine: it fetches a commit, has the driver
// build and push it, and tells the hub what happens. It knows the hub by an interface
// only, so that it works in the hub's own process and on another machine.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/fetch"
)

// A Claim names one attempt at a build.
type Claim struct {
	Build string `json:"build"` // id
	Epoch int    `json:"epoch"` // of the claim, from 1
}

// buildLength is how long the id of a build is.
const buildLength = 36

// String is the claim as drivers and fetchers call it: build and epoch, with a hyphen
// between them.
func (c Claim) String() string { return fmt.Sprintf("%s-%d", c.Build, c.Epoch) }

// ParseClaim reads what String has written.
func ParseClaim(text string) (Claim, error) {
	if len(text) > buildLength+1 && text[buildLength] == '-' {
		if epoch, err := strconv.Atoi(text[buildLength+1:]); err == nil {
			return Claim{text[:buildLength], epoch}, nil
		}
	}
	return Claim{}, fmt.Errorf("%.80q names no attempt at a build", text)
}

// An Assignment is a build that was given to a builder, with all that it has to know.
// It holds the credentials of the git source and secrets: never log it.
type Assignment struct {
	Claim
	Namespace  string           `json:"namespace"`  // id
	Repository string           `json:"repository"` // full name of the one that the image is pushed to
	Rule       events.BuildRule `json:"rule"`
	Tags       []string         `json:"tags,omitempty"`      // that the image gets; none for a test
	Test       bool             `json:"test,omitempty"`      // nothing is pushed
	Untrusted  bool             `json:"untrusted,omitempty"` // of a fork: it gets no build arguments
	Source     fetch.Source     `json:"source"`
	Upload     *Upload          `json:"upload,omitempty"` // built instead of Source
	// Readme is the SHA-256 of the README that the repository has, in hexadecimal, where
	// the rule names a file for it.
	Readme string `json:"readme,omitempty"`
	// Return says that the hub knows what to do with a build that is given back because the
	// builder lacks something for it; see events.BuildLost.
	Return bool `json:"return,omitempty"`
	// Scanner is the image of the hub that makes the SBOM, NAME@sha256:…; "" for none.
	Scanner string `json:"scanner,omitempty"`
	// Secrets are what the build may read, by name.
	Secrets map[string][]byte `json:"secrets,omitempty"`
}

// An Upload is a directory that was pushed to the repository as a blob, a tar file.
type Upload struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"` // bytes
}

// A Hub hears of builds. Each call names the attempt that it is about, and is refused
// when the builder does not have it, or no longer: the error then wraps build.ErrEpoch
// or build.ErrEnded.
type Hub interface {
	// Say records a build.step_ended, build.pushed, build.finished or, to give the
	// build back, build.lost.
	Say(ctx context.Context, c Claim, p events.Payload) error
	// Log keeps at most MaxLogChunk bytes of what a step has written; 0 is the build
	// itself, 1 the fetch.
	Log(ctx context.Context, c Claim, step int, data []byte) error
	// Token is good for pulling from a repository, and for pushing to it if push is
	// set, and ends then. "" is none: the build then does what everybody may.
	Token(ctx context.Context, c Claim, repository string, push bool) (token string, ends time.Time, err error)
}

// A Fetcher writes the files of a commit into a directory; it is *fetch.Fetcher.
type Fetcher interface {
	Fetch(ctx context.Context, id, dir string, s fetch.Source, l fetch.Limits) (fetch.Commit, error)
}

// An Uploads writes the files of an uploaded directory into a directory; it is
// *upload.Fetcher.
type Uploads interface {
	Fetch(ctx context.Context, token, repository string, d digest.Digest, size int64, dir string) error
}

// MaxLogChunk bounds a chunk of a log, in bytes.
const MaxLogChunk = 256 << 10

// ErrEnded is why a build is stopped that has ended for the hub: the cause of the
// context of Build.
var ErrEnded = errors.New("the build has ended")

// ErrDenied: the build may not have that. The error says why, for people.
var ErrDenied = errors.New("it is not for this build")

// ErrRevoked: the hub does not let this builder in any more.
var ErrRevoked = errors.New("the hub does not let this builder in")

// A Worker runs builds. All fields are required.
type Worker struct {
	Hub      Hub
	Driver   driver.Driver
	Registry string // how it is called in names of images
	Fetcher  Fetcher
	Uploads  Uploads
	Dir      string // for checkouts, of this worker alone
	Logger   *slog.Logger
}

// Credentials give the tokens of one attempt; see relay.Credentials.
type Credentials interface {
	Token(ctx context.Context, repository string, push bool) (token string, ends time.Time, err error)
}

// CredentialsOf gives a driver the tokens of the attempt that it knows by an id.
func CredentialsOf(h Hub, id string) Credentials { return credentials{h, id} }

type credentials struct {
	hub Hub
	id  string
}

func (c credentials) Token(ctx context.Context, repository string, push bool) (string, time.Time, error) {
	claim, err := ParseClaim(c.id)
	if err != nil {
		return "", time.Time{}, err
	}
	return c.hub.Token(ctx, claim, repository, push)
}
