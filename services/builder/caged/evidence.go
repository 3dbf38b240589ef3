package caged

import (
	"fmt"
	"regexp"
	"runtime"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

// Evidence is what is known after a build failed.
type Evidence struct {
	*Attempt
	Exit        cage.Exit
	Daemon      string // the end of what the daemon logged
	OutOfMemory bool   // the kernel ended a process for lack of memory
	OutOfPIDs   bool   // a process could not be made
	LeastFree   int64  // bytes of the disk
	Relay       *relay.Relay
	Said        string // the end of what the program said besides its steps

	// The step that failed first by itself; its number is 0 when there was none.
	Step           int
	Name, Why, Log string // its name, why it failed, and the end of its log
}

// evidence adds what the program told.
func (p *progress) evidence(e Evidence) Evidence {
	e.Said = p.said.String()
	if s := p.failed; s != nil {
		e.Step, e.Name, e.Why, e.Log = p.number(s), s.name, s.text, s.tail.String()
	}
	return e
}

// Native is the platform of this machine.
const Native = runtime.GOOS + "/" + runtime.GOARCH

var noSpace = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)

// Limit is the limit that a build met, as far as the kernel tells that; "" when it
// met none. failed says that a command failed, and text is why, for people.
func (e *Evidence) Limit(text string, failed bool) (kind driver.Kind, why string) {
	limits := e.Spec.Limits
	switch {
	case e.OutOfMemory:
		return driver.Memory, fmt.Sprintf("the build needs more memory than it may have (%s): %s", Size(limits.Memory), text)
	case noSpace.MatchString(text), noSpace.MatchString(e.Log) && e.LeastFree < limits.Disk/2:
		return driver.DiskFull, fmt.Sprintf("the build needs more space than it may have (%s): %s", Size(limits.Disk), text)
	case e.OutOfPIDs && failed:
		return driver.Processes, fmt.Sprintf("the build needs more processes than it may have (%d): %s", limits.PIDs, text)
	}
	return "", ""
}

// Size is a number of bytes for people.
func Size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
