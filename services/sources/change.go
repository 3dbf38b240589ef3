package sources

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/openapi"
	src "hubledger/services/internal/source"
)

type changeIn struct {
	SourcePath
	Body apitypes.ChangeSourceRequest
}

// find is the source that the path names.
func (s *Sources) find(ctx context.Context, c *endpoint.Call, name string) (*builds.Source, src.ID, error) {
	of, err := s.Read.Source(ctx, c.Namespace.Name+"/"+name)
	if errors.Is(err, builds.ErrNotFound) {
		return nil, src.ID{}, src.ErrUnknown
	}
	if err != nil {
		return nil, src.ID{}, err
	}
	return of, src.ID{Namespace: of.Namespace, Source: of.ID}, nil
}

func (s *Sources) change(ctx context.Context, c *endpoint.Call, in *changeIn) (*openapi.ChangeWith[apitypes.ChangedSource], error) {
	of, id, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	before := of.Settings
	after, made, err := changed(before, in.Body, of.Name)
	if err == nil && in.Body.HookSecret {
		err = made.newHook(&after)
	}
	if err == nil {
		err = checkSettings(after)
	}
	if err != nil {
		return nil, err
	}
	if err := s.keep(ctx, of.ID, after, made); err != nil {
		return nil, err
	}
	seq, err := src.Set(ctx, s.Log, c.By(), id, of.Name, in.Body.Seq, func(now events.SourceSettings) (events.SourceSettings, error) {
		if now != before {
			return now, events.ErrConflict
		}
		return after, nil
	})
	if err := s.API.Outcome(ctx, seq, err); err != nil {
		return nil, err
	}
	if err := s.destroyReplaced(ctx, of.ID, before, after); err != nil {
		s.Logger.Warn("a secret of a git source that was replaced is destroyed later", "source", of.Name, "error", err)
	}
	return s.changed(ctx, c, of.ID, seq, made.hook)
}

func (s *Sources) destroyReplaced(ctx context.Context, source string, before, after events.SourceSettings) error {
	var errs []error
	if before.Secret != "" && before.Secret != after.Secret {
		errs = append(errs, s.Secrets.Destroy(ctx, secretName(source, before.Secret)))
	}
	if before.StatusSecret != "" && before.StatusSecret != after.StatusSecret {
		errs = append(errs, s.Secrets.Destroy(ctx, secretName(source, before.StatusSecret)))
	}
	if before.HookSecret != after.HookSecret {
		errs = append(errs, s.Secrets.Destroy(ctx, secretName(source, before.HookSecret)))
	}
	return errors.Join(errs...)
}

// changed are the settings after a change, and the credentials that come with it. Those of
// before are not sent to another host: whoever changes the URL may not know them.
func changed(s events.SourceSettings, want apitypes.ChangeSourceRequest, name string) (events.SourceSettings, secrets, error) {
	if want == (apitypes.ChangeSourceRequest{}) {
		return s, secrets{}, endpoint.Invalid("body", "say what to change")
	}
	if want.Host != nil {
		s.Host = *want.Host
	}
	if want.BuildExisting != nil {
		s.BuildExisting = *want.BuildExisting
	}
	if want.Status != nil {
		s.Status = *want.Status
	}
	elsewhere := false
	if want.URL != nil {
		now, err := gitremote.ParseURL(*want.URL)
		if err != nil {
			return s, secrets{}, endpoint.Invalid("body.url", err.Error())
		}
		before, err := gitremote.ParseURL(s.URL)
		elsewhere = err != nil || now.Scheme != before.Scheme || now.Host != before.Host
		s.URL = now.String()
	}
	if elsewhere {
		if s.HostKey = ""; s.Credentials != "" && want.Credentials == nil {
			return s, secrets{}, endpoint.Invalid("body.credentials", "the credentials are for another host: give those for this one, or empty ones for none")
		}
		if s.StatusSecret != "" && want.StatusToken == nil {
			return s, secrets{}, endpoint.Invalid("body.statusToken", "the token for statuses is for another host: give one for this one, or an empty one for none")
		}
	}
	if want.HostKey != nil {
		s.HostKey = *want.HostKey
	}
	var made secrets
	var err error
	if want.Credentials != nil {
		made, err = newCredentials(&s, *want.Credentials, name)
	}
	if want.StatusToken != nil && err == nil {
		err = made.newStatus(&s, *want.StatusToken)
	}
	return s, made, err
}

func (s *Sources) unlink(ctx context.Context, c *endpoint.Call, in *SourcePath) (*openapi.Change, error) {
	of, id, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	seq, err := src.Unlink(ctx, s.Log, c.By(), id, of.Name)
	return s.API.Changed(ctx, seq, err)
}

// changed answers with a source as it is behind a change.
func (s *Sources) changed(ctx context.Context, c *endpoint.Call, id string, seq uint64, hook string) (*openapi.ChangeWith[apitypes.ChangedSource], error) {
	if err := s.API.Readable(ctx, seq); err != nil {
		return nil, err
	}
	of, err := s.Read.SourceByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.ChangedSource{Source: s.shown(c, of), HookSecret: hook}), nil
}
