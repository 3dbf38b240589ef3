package builds

import (
	"fmt"
	"net/http"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

func showBuilders(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Builder]](v, "/builders", nil)
	return list.Items, err
}

// inviteBuilder shows the one-time token of a new builder, this once.
func inviteBuilder(v *frame.Visit) (string, error) {
	var made apitypes.InvitedBuilder
	_, err := v.Send(http.MethodPost, "/builders", apitypes.InviteBuilderRequest{Name: v.Sent.Get("name")}, &made)
	if err == nil {
		v.Made = made
		v.Sent.Del("name")
	}
	return "", err
}

func showBuilder(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Builder]](v, "/builders", nil)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(list.Items, func(b apitypes.Builder) bool { return b.Name == v.Path("builder") && b.Since != nil })
	if k < 0 {
		return nil, endpoint.NotFound()
	}
	return list.Items[k], nil
}

func revokeBuilder(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("builders", v.Path("builder")), nil, nil)
	return fmt.Sprintf("/builders?done=%d", seq), err
}
