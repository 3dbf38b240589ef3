package process

import "github.com/google/uuid"

// space is the namespace of the managers' names, which are namespaces themselves.
var space = uuid.MustParse("0f1f4c53-4d0a-5d2e-9d57-7d3f0f6f2a11")

// EventID is the id of the event that completes a task: UUIDv5 of the manager's
// name and the task's cause. Where one cause has several tasks, or none is
// known, the key tells them apart.
func EventID(manager string, t Task) string {
	name := t.Cause
	if t.Key != t.Cause {
		name += "/" + t.Key
	}
	return uuid.NewSHA1(uuid.NewSHA1(space, []byte(manager)), []byte(name)).String()
}
