package rules

import (
	"context"

	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/trigger"
)

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
	of, seq, err := trigger.Create(ctx, s.Log, c.By(), s.Read, c.RepositoryID(), in.Body.Name)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	made, err := trigger.Find(ctx, s.Read, c.Repository.ID, of)
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.CreatedTrigger{Trigger: shownTrigger(made), URL: s.URL + "/api/build/v1/source/" + c.Repository.ID + "/trigger/" + string(of) + "/call/"}), nil
}

func (s *Rules) deleteTrigger(ctx context.Context, c *endpoint.Call, in *triggerPath) (*openapi.Change, error) {
	seq, err := trigger.Delete(ctx, s.Log, c.By(), c.RepositoryID(), in.Trigger)
	return s.API.Changed(ctx, seq, err)
}
