package builds

import (
	"fmt"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

const (
	settleWithin = 15 * time.Second
	settleEvery  = time.Second
	settleLooks  = 20 // pushes, the latest
)

// settle waits, for a bounded time, until what was pushed has become builds, so that the
// latest build is that of the latest push. It says on standard error what it waits for.
func (o one) settle(a *console.API) error {
	told := ""
	for end := time.Now().Add(settleWithin); time.Now().Before(end); {
		why, err := o.unsettled(a)
		if err != nil || why == "" {
			return err
		}
		if why != told {
			fmt.Fprintln(a.Session.Err, why)
			told = why
		}
		if err := pause(a.Session, settleEvery); err != nil {
			return err
		}
	}
	return nil
}

// unsettled says which push has not become builds yet; "" for none.
func (o one) unsettled(a *console.API) (why string, err error) {
	path := client.RepositoryPath(o.Repository)
	waiting, err := console.Get[apitypes.WaitingPushes](a, path+"/waiting-pushes")
	if err != nil {
		return "", err
	}
	for _, w := range waiting.Pushes {
		return fmt.Sprintf("waiting for the build of %s at %.8s: %s", short(w.Ref, w.PullRequest), w.Commit, w.Why), nil
	}
	n := 0
	err = console.Each(a, path+"/pushes", client.Paged(), func(p apitypes.Push) error {
		if n++; n > settleLooks {
			return errEnough
		}
		if p.Unqueued > 0 {
			why = fmt.Sprintf("waiting for the build of %s at %.8s: it is not queued yet", short(p.Ref, p.PullRequest), p.Commit)
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return why, err
}

// headline says which build is shown.
func headline(v apitypes.Build, now time.Time) string {
	ref, at := place(v)
	return fmt.Sprintf("build %s: %s at %s, queued %s", v.Short(), ref, at, ago(now.Sub(v.Queued)))
}

// ago is a time that has passed, for people, in its largest unit.
func ago(d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := int(d / unit.of); n > 0 {
			return fmt.Sprintf("%d %s%s ago", n, unit.name, console.If(n > 1, "s"))
		}
	}
	return "just now"
}
