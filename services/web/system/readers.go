package system

import (
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// showReaders shows the users that follow the log with NATS clients.
func showReaders(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Reader]](v, "/nats-users", nil)
	return list.Items, err
}

// addReader shows what the new user types, this once: the address is that of the request.
func addReader(v *frame.Visit) (string, error) {
	var made apitypes.AddedReader
	_, err := v.Send(http.MethodPost, "/nats-users", apitypes.AddReaderRequest{Name: strings.TrimSpace(v.Sent.Get("name")), Key: strings.TrimSpace(v.Sent.Get("key"))}, &made)
	if err == nil {
		v.Made = made
		v.Sent.Del("name")
		v.Sent.Del("key")
	}
	return "", err
}

func showReader(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Reader]](v, "/nats-users", nil)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(list.Items, func(r apitypes.Reader) bool { return r.Name == v.Path("reader") })
	if k < 0 {
		return nil, endpoint.NotFound()
	}
	return list.Items[k], nil
}

func revokeReader(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("nats-users", v.Path("reader")), nil, nil)
	return frame.Done("/readers", seq, err)
}
