package rules

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// maxTriggers bounds the triggers of a repository.
const maxTriggers = 20

// A triggerPath names a trigger of a repository.
type triggerPath struct {
	openapi.RepositoryPath
	Trigger string `path:"trigger" maxLength:"36" doc:"Id of the trigger"`
}

type createTriggerIn struct {
	openapi.RepositoryPath
	Body apitypes.CreateTriggerRequest
}

func (s *Rules) triggers(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.List[apitypes.Trigger], error) {
	all, err := s.Read.Triggers(ctx, c.Repository.ID)
	views := make([]apitypes.Trigger, len(all))
	for k := range all {
		views[k] = shownTrigger(&all[k])
	}
	return openapi.WholeList(views), err
}

func shownTrigger(t *builds.Trigger) apitypes.Trigger {
	return apitypes.Trigger{ID: t.ID, Name: t.Name, Created: t.Created, CreatedBy: t.CreatedBy, Seq: t.Seq}
}

func (s *Rules) createTrigger(ctx context.Context, c *endpoint.Call, in *createTriggerIn) (*openapi.ChangeWith[apitypes.CreatedTrigger], error) {
	all, err := s.Read.Triggers(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxTriggers {
		return nil, endpoint.Fail(http.StatusForbidden, fmt.Sprintf("a repository has at most %d build triggers: delete one that is not called any more", maxTriggers))
	}
	id, err := command.NewID()
	if err != nil {
		return nil, err
	}
	secret := rand.Text() + rand.Text() // 260 bits
	hash := sha256.Sum256([]byte(secret))
	by := c.By()
	seq, err := command.Append(ctx, s.Log, by, events.TriggerCreated{Namespace: c.Repository.Namespace, Repository: c.Repository.ID, Trigger: id, Name: in.Body.Name, Hash: hash[:]}, 0)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	made, err := s.Read.TriggerOf(ctx, hash[:])
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.CreatedTrigger{Trigger: shownTrigger(made), URL: s.URL + "/api/build/v1/source/" + c.Repository.ID + "/trigger/" + secret + "/call/"}), nil
}

func (s *Rules) deleteTrigger(ctx context.Context, c *endpoint.Call, in *triggerPath) (*openapi.Change, error) {
	all, err := s.Read.Triggers(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(t builds.Trigger) bool { return t.ID == in.Trigger }) {
		return nil, endpoint.Fail(http.StatusNotFound, "the repository has no such build trigger")
	}
	seq, err := command.Append(ctx, s.Log, c.By(), events.TriggerDeleted{Namespace: c.Repository.Namespace, Repository: c.Repository.ID, Trigger: in.Trigger}, events.AnySeq)
	return s.API.Changed(ctx, seq, err)
}
