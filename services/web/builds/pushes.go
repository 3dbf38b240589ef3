package builds

import (
	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type pushesPage struct {
	Repository apitypes.RepositoryDetails
	Waiting    []apitypes.WaitingPush
	Pushes     []apitypes.Push
	Next       string
}

func showPushes(v *frame.Visit) (any, error) {
	p := pushesPage{}
	var err error
	if p.Repository, err = frame.Repository(v); err != nil {
		return nil, err
	}
	waiting, err := frame.Get[apitypes.WaitingPushes](v, frame.Path("repositories", v.Repo(), "waiting-pushes"), nil)
	if err != nil {
		return nil, err
	}
	p.Waiting = waiting.Pushes
	list, err := frame.Get[apitypes.List[apitypes.Push]](v, frame.Path("repositories", v.Repo(), "pushes"), v.Asked("cursor"))
	p.Pushes, p.Next = list.Items, list.Next
	return p, err
}
