package sources

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/githook"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
	src "hubledger/services/internal/source"
	"hubledger/services/sources/hoststatus"
)

type linkIn struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	Body      apitypes.LinkSourceRequest
}

// link writes the secrets before the event: a source that is linked has them. Those
// of one that was not recorded are destroyed later, as stale.
func (s *Sources) link(ctx context.Context, c *endpoint.Call, in *linkIn) (*openapi.ChangeWith[apitypes.ChangedSource], error) {
	u, err := gitremote.ParseURL(in.Body.URL)
	if err != nil {
		return nil, endpoint.Invalid("body.url", err.Error())
	}
	name := c.Namespace.Name + "/" + in.Body.Name
	if err := src.CheckName(name); err != nil {
		return nil, endpoint.Located(err, "body.name", repository.ErrName)
	}
	fresh, err := command.NewID()
	if err != nil {
		return nil, err
	}
	id := src.ID{Namespace: c.Namespace.ID, Source: fresh}
	settings := events.SourceSettings{URL: u.String(), Host: in.Body.Host, HostKey: in.Body.HostKey, BuildExisting: in.Body.BuildExisting, Status: in.Body.Status}
	if settings.Host == "" {
		settings.Host = src.HostOf(u)
	}
	made, err := newCredentials(&settings, in.Body.Credentials, name)
	if err == nil {
		err = made.newStatus(&settings, in.Body.StatusToken)
	}
	if err == nil {
		err = made.newHook(&settings)
	}
	if err == nil {
		err = checkSettings(settings)
	}
	if err != nil {
		return nil, err
	}
	// Before anything is written: most names that are taken are known to be.
	if _, err := s.Read.Source(ctx, name); err == nil {
		return nil, src.ErrTaken
	}
	if n, err := s.Read.CountSources(ctx, c.Namespace.ID); err != nil || n >= src.MaxSources {
		return nil, cmp.Or(err, src.ErrTooMany)
	}
	if err := s.keep(ctx, fresh, settings, made); err != nil {
		return nil, err
	}
	seq, err := src.Link(ctx, s.Log, c.By(), id, name, settings)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, c, fresh, seq, made.hook)
}

// secrets are those of a source that are new; "" and nil are not.
type secrets struct {
	hook, status string
	git          []byte
}

// checkSettings says whether a source can have these settings.
func checkSettings(settings events.SourceSettings) error {
	if err := src.Check(settings); err != nil || !settings.Status {
		return err
	}
	u, err := gitremote.ParseURL(settings.URL)
	if err == nil {
		_, err = hoststatus.Address(settings.Host, u, strings.Repeat("0", 40))
	}
	if err != nil {
		return endpoint.Invalid("body.status", err.Error())
	}
	return nil
}

// newStatus sets the token that statuses are sent with; "" for that of the credentials.
func (made *secrets) newStatus(settings *events.SourceSettings, token string) (err error) {
	settings.StatusSecret, made.status = "", token
	if token != "" {
		settings.StatusSecret, err = command.NewID()
	}
	return err
}

// newCredentials sets the settings that go with credentials, and returns the secret.
func newCredentials(settings *events.SourceSettings, c apitypes.GitCredentials, name string) (made secrets, err error) {
	settings.Credentials, settings.Secret, settings.User, settings.DeployKey = "", "", "", ""
	switch {
	case c.DeployKey && (c.Token != "" || c.User != ""):
		return made, endpoint.Invalid("body.credentials", "a source has a token or a deploy key, not both")
	case c.DeployKey:
		settings.Credentials = events.CredentialsDeployKey
		made.git, settings.DeployKey, err = newDeployKey("hubledger " + name)
	case c.Token != "":
		settings.Credentials, settings.User, made.git = events.CredentialsToken, c.User, []byte(c.Token)
		if settings.User == "" {
			settings.User = src.TokenUser(settings.Host)
		}
	case c.User != "":
		return made, endpoint.Invalid("body.credentials.user", "a user name goes with a token")
	}
	if err == nil && made.git != nil {
		settings.Secret, err = command.NewID()
	}
	return made, err
}

// newHook makes a secret for webhooks, of 256 random bits. That for GitLab is good as
// a secret token and as a signing token.
func (made *secrets) newHook(settings *events.SourceSettings) (err error) {
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	if made.hook = hex.EncodeToString(raw[:]); settings.Host == events.HostGitLab {
		made.hook = githook.SigningPrefix + base64.StdEncoding.EncodeToString(raw[:])
	}
	settings.HookSecret, err = command.NewID()
	return err
}

// keep writes what is new to the records that the settings name.
func (s *Sources) keep(ctx context.Context, source string, settings events.SourceSettings, made secrets) error {
	if s.Secrets == nil {
		return errNoSecrets
	}
	if made.git != nil {
		if err := s.Secrets.Put(ctx, secretName(source, settings.Secret), made.git); err != nil {
			return err
		}
	}
	if made.status != "" {
		if err := s.Secrets.Put(ctx, secretName(source, settings.StatusSecret), []byte(made.status)); err != nil {
			return err
		}
	}
	if made.hook != "" {
		return s.Secrets.Put(ctx, secretName(source, settings.HookSecret), []byte(made.hook))
	}
	return nil
}
