package sources

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type deliveriesCmd struct {
	named
	Event uint64 `arg:"" optional:"" help:"Show the webhook of this event, and what came of it."`
	Body  bool   `help:"Print the body of that webhook as it was received."`
}

func (c *deliveriesCmd) Run(s *console.Session) error {
	if c.Event == 0 && c.Body {
		return errors.New("--body goes with an event: `hubledger sources deliveries " + c.Source + "` lists them")
	}
	a, path, err := c.open(s, "deliveries")
	if err != nil {
		return err
	}
	switch one := path + "/" + strconv.FormatUint(c.Event, 10); {
	case c.Body:
		return a.Copy(one + "/body")
	case c.Event > 0:
		return console.Show(a, one, deliveryRows)
	}
	return console.List(a, path, client.Paged(), "No webhooks yet. `hubledger sources show "+c.Source+"` says where the git host has to send them.",
		[]string{"EVENT", "RECEIVED", "WEBHOOK", "REFS", "MOVED", "AGAIN", "DELIVERY"}, func(v apitypes.HookDelivery) []string {
			return []string{fmt.Sprint(v.Seq), console.Time(&v.Received), v.Event, said(v), fmt.Sprint(v.Moved), fmt.Sprint(v.Redelivered), v.Delivery}
		})
}

// said is what a webhook says in a few words.
func said(v apitypes.HookDelivery) string {
	switch n := len(v.Refs) + v.More; {
	case v.Ping:
		return "ping"
	case v.PullRequest != nil:
		return fmt.Sprint("pull request ", v.PullRequest.Number)
	case n == 0:
		return "none"
	case n == 1 && len(v.Refs) == 1:
		return v.Refs[0].Ref
	default:
		return fmt.Sprint(n, " refs")
	}
}

func deliveryRows(v apitypes.HookDelivery) [][]string {
	list := [][]string{{"event", fmt.Sprint(v.Seq)}, {"delivery", v.Delivery}, {"received", console.Time(&v.Received)}, {"webhook", v.Event}}
	if v.Ping {
		list = append(list, []string{"ping", "the git host only tested whether the hub answers"})
	}
	if v.Repository != "" {
		list = append(list, []string{"repository", v.Repository})
	}
	if p := v.PullRequest; p != nil {
		list = append(list, []string{"says", fmt.Sprintf("pull request %d of %s, to %s, is at %s", p.Number, console.If(p.Own, "the git repository itself")+console.If(!p.Own, "a fork"),
			strings.TrimPrefix(p.Target, "refs/heads/"), commit(p.Head, "none")) + console.If(p.Closed, ", and was closed")})
	}
	for _, r := range v.Refs {
		list = append(list, []string{"says", r.Ref + ": " + commit(r.Old, "none") + " → " + commit(r.New, "none")})
	}
	if v.More > 0 {
		list = append(list, []string{"says", fmt.Sprintf("%d more", v.More)})
	}
	for _, m := range v.Moves {
		list = append(list, []string{"moved", fmt.Sprintf("%s: %s → %s (event %d)", m.Ref, commit(m.Previous, "new"), commit(m.Commit, "deleted"), m.Seq)})
	}
	if more := v.Moved - len(v.Moves); more > 0 {
		list = append(list, []string{"moved", fmt.Sprintf("%d more", more)})
	}
	if v.Redelivered > 0 {
		list = append(list, []string{"again", fmt.Sprintf("came %d times again", v.Redelivered)})
	}
	for _, name := range slices.Sorted(maps.Keys(v.Headers)) {
		list = append(list, []string{"header", name + ": " + v.Headers[name]})
	}
	return append(list, []string{"body", fmt.Sprintf("%d bytes, %s", v.Size, v.Digest)})
}

type redeliverCmd struct {
	named
	Event uint64 `arg:"" help:"Event of the webhook, from: hubledger sources deliveries."`
}

func (c *redeliverCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "deliveries", strconv.FormatUint(c.Event, 10), "redeliver")
	if err != nil {
		return err
	}
	return console.Send(a, "POST", path, nil, func(apitypes.Source) error {
		_, err := fmt.Fprintf(s.Out, "Asked for a sweep of %s because of event %d; this shows what came of it: hubledger sources deliveries %s %d\n", c.Source, c.Event, c.Source, c.Event)
		return err
	})
}
