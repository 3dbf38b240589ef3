package api

import (
	"context"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/images"
	"hubledger/services/api/dockerhub"
	"hubledger/services/api/people"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"
)

// Passwords knows the passwords and second factors of users. Refusals are *access.Denied.
type Passwords interface {
	people.Passwords
	people.SecondFactors
	dockerhub.Logins
}

// Rights decides who may do what; see package access.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
	Visible(ctx context.Context, p access.Principal) (access.Visible, error)
	Explain(ctx context.Context, a *accounts.Account, repository string) (access.Level, []access.Reason, error)
}

// Log is the log as the API needs it.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
	// Get is the event of that sequence.
	Get(ctx context.Context, seq uint64) (*events.Event, error)
}

// Cleaner applies cleanup rules; see package cleanup.
type Cleaner interface {
	Previews
	Run(ctx context.Context, by command.By, repo images.Repository) (cleanup.Done, error)
}

// Previews say what deletions would free: *cleanup.Cleaner.
type Previews interface {
	Preview(ctx context.Context, repo images.Repository, rule events.Cleanup, everywhere bool) (apitypes.CleanupPreview, error)
	PreviewDeletion(ctx context.Context, repo images.Repository, tags []string, everywhere bool) (apitypes.DeletionPreview, error)
	ByImage(ctx context.Context, repo images.Repository, everywhere bool, most int) (apitypes.ImagesUsage, error)
}

// Registry does what only the registry can do: it knows the blobs of images. Its
// methods wait for the images read model.
type Registry interface {
	dockerhub.Repositories
	// QuotaUse is what counts against the quota of a namespace, by its id and name.
	QuotaUse(ctx context.Context, id, name string) (bytes, pending, images int64, err error)
	// RestoreRepository undoes the deletion of the repository with that id, or
	// of the latest of that name when id is empty.
	RestoreRepository(ctx context.Context, by command.By, name, id string) (uint64, error)
	RestoreManifest(ctx context.Context, by command.By, name string, d digest.Digest) (uint64, error)
	RestoreTag(ctx context.Context, by command.By, name, tag string) (uint64, error)
	// RollBack lets a tag name an image again that it named before. It is refused when from
	// is not "" and not what the tag names.
	RollBack(ctx context.Context, by command.By, name, tag string, to, from digest.Digest) (uint64, error)
	// ReadBlob reads a blob of at most max bytes that a live manifest of the repository
	// with that id needs. The error wraps images.ErrNotFound.
	ReadBlob(ctx context.Context, repo string, d digest.Digest, max int64) ([]byte, error)
}
