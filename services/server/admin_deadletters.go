package server

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/process"
)

// adminDeadLetters lists the dead letters of the process managers of this node's
// services, also where another node leads them.
func (n *Node) adminDeadLetters(ctx context.Context, _ *http.Request, a *adminResponse) error {
	return a.letters(asSystem{n}.DeadLetters(ctx, "", math.MaxInt))
}

func (a *adminResponse) letters(list []adminsocket.DeadLetter, err error) error {
	for _, l := range list {
		if err := a.item(l); err != nil {
			return err
		}
	}
	return err
}

// DeadLetters lists those of the process managers of this node's services, also where
// another node leads them.
func (n asSystem) DeadLetters(ctx context.Context, manager string, most int) (list []adminsocket.DeadLetter, err error) {
	for _, m := range n.managers {
		if manager != "" && m.Name() != manager {
			continue
		}
		letters, err := m.DeadLetters(ctx)
		if err != nil {
			return list, err
		}
		for _, l := range letters {
			if len(list) >= most {
				return list, nil
			}
			list = append(list, adminsocket.DeadLetter{Manager: m.Name(), Task: l.Key, Cause: l.Cause, Attempts: l.Attempts, Since: l.Since, Error: l.Error})
		}
	}
	return list, nil
}

// adminRetry lets dead letters of one manager be tried again: the one that is
// named, or all. It answers with those.
func (n *Node) adminRetry(ctx context.Context, r *http.Request, a *adminResponse) error {
	return a.letters(asSystem{n}.RetryLetters(ctx, r.PathValue("manager"), r.URL.Query().Get("task")))
}

// RetryLetters lets dead letters of a manager be tried again: the one with that key, or
// all for "". It returns those that are tried, also beside an error.
func (n asSystem) RetryLetters(ctx context.Context, manager, task string) (list []adminsocket.DeadLetter, err error) {
	m, err := n.manager(manager)
	if err != nil {
		return nil, err
	}
	keys := []string{task}
	if task == "" {
		letters, err := n.DeadLetters(ctx, manager, math.MaxInt)
		if err != nil {
			return nil, err
		}
		keys = nil
		for _, l := range letters {
			keys = append(keys, l.Task)
		}
	}
	for _, key := range keys {
		if err := m.Retry(ctx, key); err != nil {
			return list, err
		}
		list = append(list, adminsocket.DeadLetter{Manager: m.Name(), Task: key})
	}
	return list, nil
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
