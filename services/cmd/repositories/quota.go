package repositories

import (
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Quota is the command that shows or changes the quota of a namespace.
type Quota struct {
	console.Target
	Name   string `arg:"" help:"Namespace, such as acme."`
	Bytes  *int64 `help:"Maximum bytes of distinct content in live images and in uploads; 0 for no limit." placeholder:"N"`
	Images *int64 `help:"Maximum number of live manifests; 0 for no limit." placeholder:"N"`
}

func quotaFacts(q apitypes.QuotaUse) [][]string {
	bytes, images := "no limit", "no limit"
	if q.Bytes > 0 {
		bytes = console.Size(q.Bytes)
	}
	if q.Images > 0 {
		images = fmt.Sprint(q.Images)
	}
	used := console.Size(q.UsedBytes)
	if q.PendingBytes > 0 {
		used += ", of which " + console.Size(q.PendingBytes) + " are uploads that no image names yet"
	}
	return [][]string{{"bytes", bytes}, {"images", images}, {"bytes used", used}, {"images used", fmt.Sprint(q.UsedImages)}}
}

// Run shows the quota, or changes the limits that were given.
func (c *Quota) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	where := client.Path("namespaces", c.Name, "quota")
	if c.Bytes == nil && c.Images == nil {
		return console.Show(a, where, quotaFacts)
	}
	q, err := console.Get[apitypes.Quota](a, where)
	if err != nil {
		return err
	}
	if c.Bytes != nil {
		q.Bytes = *c.Bytes
	}
	if c.Images != nil {
		q.Images = *c.Images
	}
	return a.Change("PUT", where, q, "Changed the quota of "+c.Name)
}
