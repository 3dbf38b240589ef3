package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/process"
)

// adminDeadLetters lists the dead letters of the process managers of this node's
// services, also where another node leads them.
func (n *Node) adminDeadLetters(ctx context.Context, _ *http.Request, a *adminResponse) error {
	for _, m := range n.managers {
		letters, err := m.DeadLetters(ctx)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if err := a.item(adminsocket.DeadLetter{Manager: m.Name(), Task: l.Key, Cause: l.Cause, Attempts: l.Attempts, Since: l.Since, Error: l.Error}); err != nil {
				return err
			}
		}
	}
	return nil
}

// adminRetry lets dead letters of one manager be tried again: the one that is
// named, or all. It answers with those.
func (n *Node) adminRetry(ctx context.Context, r *http.Request, a *adminResponse) error {
	m, err := n.manager(r.PathValue("manager"))
	if err != nil {
		return err
	}
	keys := []string{r.URL.Query().Get("task")}
	if keys[0] == "" {
		letters, err := m.DeadLetters(ctx)
		if err != nil {
			return err
		}
		keys = nil
		for _, l := range letters {
			keys = append(keys, l.Key)
		}
	}
	for _, key := range keys {
		if err := m.Retry(ctx, key); err != nil {
			return err
		}
		if err := a.item(adminsocket.DeadLetter{Manager: m.Name(), Task: key}); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) manager(name string) (*process.Runner, error) {
	var names []string
	for _, m := range n.managers {
		if m.Name() == name {
			return m, nil
		}
		names = append(names, m.Name())
	}
	return nil, fmt.Errorf("this node has no process manager %q; it has: %s", name, strings.Join(names, ", "))
}
