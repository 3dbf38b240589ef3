package people

import (
	"net/http"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type grantsPage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Grant]
}

func showGrants(v *frame.Visit) (any, error) {
	h, err := head(v, "access")
	if err != nil {
		return nil, err
	}
	p := grantsPage{Head: h}
	p.List, err = paged[apitypes.Grant](v, "namespaces", h.Name, "grants")
	return p, err
}

func giveGrant(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := frame.GiveRole(v, frame.Path("namespaces", ns))
	return frame.Done(namespaceAt(ns)+"/-/access", seq, err)
}

func withdrawGrant(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodDelete, frame.Path("namespaces", ns, "grants", v.Sent.Get("kind"), v.Sent.Get("grantee")), nil, nil)
	return frame.Done(namespaceAt(ns)+"/-/access", seq, err)
}
