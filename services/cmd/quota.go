package cmd

import (
	"encoding/json"
	"fmt"

	"hubledger/services/internal/apitypes"
)

type quotaCmd struct {
	target
	Name   string `arg:"" help:"Namespace, such as acme."`
	Bytes  *int64 `help:"Maximum bytes of distinct content in live images; 0 for no limit." placeholder:"N"`
	Images *int64 `help:"Maximum number of live manifests; 0 for no limit." placeholder:"N"`
}

func quotaFacts(q apitypes.Quota) [][]string {
	bytes, images := "no limit", "no limit"
	if q.Bytes > 0 {
		bytes = size(q.Bytes)
	}
	if q.Images > 0 {
		images = fmt.Sprint(q.Images)
	}
	return [][]string{{"bytes", bytes}, {"images", images}}
}

// Run shows the quota, or changes the limits that were given.
func (c *quotaCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	where := path("namespaces", c.Name, "quota")
	if c.Bytes == nil && c.Images == nil {
		return show(a, where, nil, quotaFacts)
	}
	raw, err := a.do("GET", where, nil, nil)
	if err != nil {
		return err
	}
	var q apitypes.Quota
	if err := json.Unmarshal(raw, &q); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	if c.Bytes != nil {
		q.Bytes = *c.Bytes
	}
	if c.Images != nil {
		q.Images = *c.Images
	}
	return a.change("PUT", where, q, "Changed the quota of "+c.Name)
}
