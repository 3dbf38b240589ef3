package builds

import (
	"fmt"
	"net/http"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type triggersPage struct {
	Repository apitypes.RepositoryDetails
	Triggers   []apitypes.Trigger
}

func triggersOf(v *frame.Visit) ([]apitypes.Trigger, error) {
	list, err := frame.Get[apitypes.List[apitypes.Trigger]](v, frame.Path("repositories", v.Repo(), "triggers"), nil)
	return list.Items, err
}

func showTriggers(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	list, err := triggersOf(v)
	return triggersPage{r, list}, err
}

// createTrigger shows the URL of the new trigger, this once.
func createTrigger(v *frame.Visit) (string, error) {
	var made apitypes.CreatedTrigger
	_, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "triggers"), apitypes.CreateTriggerRequest{Name: v.Sent.Get("name")}, &made)
	if err == nil {
		v.Made = made
		v.Sent.Del("name")
	}
	return "", err
}

func showTrigger(v *frame.Visit) (any, error) {
	list, err := triggersOf(v)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(list, func(t apitypes.Trigger) bool { return t.ID == v.Path("trigger") })
	if k < 0 {
		return nil, endpoint.NotFound()
	}
	return list[k], nil
}

func deleteTrigger(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "triggers", v.Path("trigger")), nil, nil)
	return fmt.Sprintf("%s/-/triggers?done=%d", frame.RepoPage(v.Repo()), seq), err
}
