package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// maxShownBody is how large a body is shown, in bytes; a larger one can be downloaded.
const maxShownBody = 32 << 10

type deliveriesPage struct {
	Deliveries []apitypes.HookDelivery
	Next       string
}

func showDeliveries(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.HookDelivery]](v, path(v, "deliveries"), v.Asked("cursor"))
	return deliveriesPage{list.Items, list.Next}, err
}

type deliveryPage struct {
	Delivery apitypes.HookDelivery
	Body     string
	BodyAt   string // address of the body as it came; "" when it is not kept any more
	Long     bool
}

func showDelivery(v *frame.Visit) (any, error) {
	p := deliveryPage{}
	var err error
	if p.Delivery, err = frame.Get[apitypes.HookDelivery](v, path(v, "deliveries", v.Path("seq")), nil); err != nil {
		return nil, err
	}
	p.BodyAt = "/api/v1" + path(v, "deliveries", v.Path("seq"), "body")
	if p.Long = p.Delivery.Size > maxShownBody; p.Long {
		return p, nil
	}
	body, err := frame.Get[frame.Bytes](v, path(v, "deliveries", v.Path("seq"), "body"), nil)
	var problem *endpoint.Problem
	if errors.As(err, &problem) && (problem.Status == http.StatusGone || problem.Status == http.StatusServiceUnavailable) {
		p.BodyAt = ""
		return p, nil
	}
	p.Body = shownBody(body)
	return p, err
}

// shownBody is a body for people: JSON with its lines indented.
func shownBody(body []byte) string {
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil && pretty.Len() <= 4*maxShownBody {
		body = pretty.Bytes()
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

func redeliver(v *frame.Visit) (string, error) {
	_, err := v.Send(http.MethodPost, path(v, "deliveries", v.Path("seq"), "redeliver"), nil, nil)
	return page(v.Repo()), err
}
