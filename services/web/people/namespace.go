package people

import (
	"net/http"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A namespaceHead is what every page of a namespace begins with.
type namespaceHead struct {
	Name         string
	Namespace    *apitypes.Namespace    // nil for who has no part in it
	Organization *apitypes.Organization // nil for a user's, and for who has no part in it
	Tab          string
}

// Owns says whether the visitor may do everything there.
func (h *namespaceHead) Owns() bool { return h.Namespace != nil && h.Namespace.Level == "admin" }

// Changes is the address of the page with what has changed in the rights there since a time, ""
// for who may not see it.
func (h *namespaceHead) Changes() string {
	if !h.Owns() {
		return ""
	}
	return namespaceAt(h.Name) + "/-/access/changes"
}

// Creates says whether the visitor may make repositories there.
func (h *namespaceHead) Creates() bool { return h.Namespace != nil && h.Namespace.Level != "read" }

func head(v *frame.Visit, tab string) (*namespaceHead, error) {
	h := &namespaceHead{Name: v.Path("namespace"), Tab: tab}
	if !v.SignedIn() {
		return h, nil
	}
	ns, err := frame.Get[apitypes.Namespace](v, frame.Path("namespaces", h.Name), nil)
	if frame.Missing(err) {
		return h, nil
	}
	if err != nil {
		return nil, err
	}
	h.Namespace = &ns
	if ns.Kind == "organization" {
		o, err := frame.Get[apitypes.Organization](v, frame.Path("orgs", h.Name), nil)
		if err != nil {
			return nil, err
		}
		h.Organization = &o
	}
	return h, nil
}

type namespacePage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Repository]
}

// showNamespace shows the repositories that the visitor may see. Of a namespace that has
// none for the visitor nothing is told, not even that it is there.
func showNamespace(v *frame.Visit) (any, error) {
	h, err := head(v, "repositories")
	if err != nil {
		return nil, err
	}
	q := v.Paged()
	q.Set("namespace", h.Name)
	list, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/repositories", q)
	if err == nil && len(list.Items) == 0 && h.Namespace == nil {
		err = endpoint.NotFound()
	}
	return namespacePage{h, list}, err
}

type usagePage struct {
	Head  *namespaceHead
	Usage apitypes.Usage
	Quota apitypes.QuotaUse
}

func showUsage(v *frame.Visit) (any, error) {
	h, err := head(v, "usage")
	if err != nil {
		return nil, err
	}
	p := usagePage{Head: h}
	if p.Usage, err = frame.Get[apitypes.Usage](v, frame.Path("namespaces", h.Name, "usage"), nil); err != nil {
		return nil, err
	}
	p.Quota, err = frame.Get[apitypes.QuotaUse](v, frame.Path("namespaces", h.Name, "quota"), nil)
	return p, err
}

func setQuota(v *frame.Visit) (string, error) {
	var want apitypes.Quota
	for field, to := range map[string]*int64{"bytes": &want.Bytes, "images": &want.Images} {
		text := strings.NewReplacer(",", "", " ", "").Replace(v.Sent.Get(field))
		n, err := strconv.ParseInt("0"+text, 10, 64)
		if err != nil {
			return "", endpoint.Invalid("body."+field, "write a whole number; 0 is no limit")
		}
		*to = n
	}
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodPut, frame.Path("namespaces", ns, "quota"), want, nil)
	return frame.Done(namespaceAt(ns)+"/-/usage", seq, err)
}

type trashPage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Deleted]
}

func showTrash(v *frame.Visit) (any, error) {
	h, err := head(v, "trash")
	if err != nil {
		return nil, err
	}
	list, err := frame.Get[apitypes.List[apitypes.Deleted]](v, frame.Path("namespaces", h.Name, "deleted"), v.Paged())
	return trashPage{h, list}, err
}

func restoreRepository(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodPost, frame.Path("namespaces", ns, "deleted", v.Sent.Get("id"), "restore"), nil, nil)
	return frame.Done(namespaceAt(ns), seq, err)
}
