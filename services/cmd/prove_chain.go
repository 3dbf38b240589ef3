package cmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cloudevent"
	"hubledger/services/internal/durable"
)

type proveBuildCmd struct {
	chainTarget
	ID string `arg:"" help:"Id of the build."`
}

type proveDeploymentCmd struct {
	chainTarget
	ID string `arg:"" help:"Id of the deployment."`
}

// A chainTarget says of which hub a chain is, and where its proofs go.
type chainTarget struct {
	console.Target
	Output string `short:"o" help:"New directory for the proofs. Default: build-ID.proofs, deployment-ID.proofs." type:"path" placeholder:"DIR"`
}

func (proveBuildCmd) Help() string {
	return `Writes a directory with a proof of each event: those of the build, the causes of these, such as a webhook, and what they led
to, such as a push. ` + "`hubledger verify-proof DIR`" + ` checks all of them without the hub. It has what you may read.`
}

func (proveDeploymentCmd) Help() string {
	return `Writes a directory with a proof of each event: those of the deployment, and the causes and effects of these.
` + "`hubledger verify-proof DIR`" + ` checks all of them without the hub. It has what you may read.`
}

func (c *proveBuildCmd) Run(s *console.Session) error { return c.prove(s, "build", c.ID) }

func (c *proveDeploymentCmd) Run(s *console.Session) error { return c.prove(s, "deployment", c.ID) }

// maxChain bounds how many events are proved at once.
const maxChain = 5000

func (t *chainTarget) prove(s *console.Session, kind, id string) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("%.100q is no id of a %s", id, kind)
	}
	t.Output = cmp.Or(t.Output, kind+"-"+id+".proofs")
	if _, err := os.Stat(t.Output); err == nil { // before much is read
		return fmt.Errorf("%s is there already: name another directory with -o", t.Output)
	}
	a, err := t.API(s)
	if err != nil {
		return err
	}
	chain, err := chainOf(a, kind, parsed)
	if err != nil {
		return err
	}
	seqs := make([]uint64, len(chain))
	for k, e := range chain {
		seqs[k] = e.Seq
	}
	if err := writeProofs(a, t.Output, seqs); err != nil {
		return err
	}
	if s.JSON {
		return s.Print(map[string]any{"directory": t.Output, "events": len(chain)})
	}
	fmt.Fprintf(s.Out, "%s proves %d events of the %s, what led to them and what they led to.\n", t.Output, len(chain), kind)
	_, err = fmt.Fprintf(s.Out, "Check them with `hubledger verify-proof %s --key KEY`; `hubledger checkpoint --key` prints the key.\n", t.Output)
	return err
}

// writeProofs makes a directory with a proof of each event; they are in the order of the log.
func writeProofs(a *console.API, dir string, seqs []uint64) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("%s is there already: name another one with -o, or remove it", dir)
	}
	made := dir + ".writing"
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(made) // which is not there any more when all of it was written
	bar := a.Session.Bar("proving")
	defer bar.End()
	// The latest first: when it is signed, all others are.
	for k, seq := range slices.Backward(seqs) {
		text, err := proofOf(a, apitypes.Event{Seq: seq})
		if err == nil {
			err = durable.ReplaceFile(filepath.Join(made, proofName(seq)), text, 0o644)
		}
		if err != nil {
			return err
		}
		bar.Set(int64(len(seqs)-k), int64(len(seqs)), "events")
	}
	return os.Rename(made, dir)
}

func proofName(seq uint64) string { return fmt.Sprintf("event-%d.tlog-proof", seq) }

// chainOf are the events of a build or a deployment with their causes and effects, in the
// order of the log.
func chainOf(a *console.API, kind string, id uuid.UUID) ([]events.Event, error) {
	of := func(e *events.Event) bool {
		var data map[string]json.RawMessage
		var named string
		return json.Unmarshal(e.Data, &data) == nil && json.Unmarshal(data[kind], &named) == nil && named == id.String()
	}
	subject, from, err := subjectOf(a, kind, id, of)
	if err != nil {
		return nil, err
	}
	if subject == "" {
		return nil, fmt.Errorf("the log has no %s %s that you may read", kind, id)
	}
	all, chains := map[string]events.Event{}, map[string]bool{}
	var own []string
	err = eachExported(a, "aggregate:"+subject+from, func(e events.Event) error {
		if of(&e) {
			all[e.ID()], chains[e.Correlation()] = e, true
			own = append(own, e.ID())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for correlation := range chains {
		err := eachExported(a, "correlation:"+correlation, func(e events.Event) error {
			e.Data = nil
			if all[e.ID()] = e; len(all) > 20*maxChain {
				return fmt.Errorf("the chain has more than %d events", 20*maxChain)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	list := around(all, own)
	if len(list) > maxChain {
		return nil, fmt.Errorf("the chain has %d events, and at most %d are proved at once: `hubledger prove event` proves each", len(list), maxChain)
	}
	return list, nil
}

// subjectOf finds the aggregate that has the events of a build or a deployment, "" when there
// is none, and a term of the filter for what is not before it.
func subjectOf(a *console.API, kind string, id uuid.UUID, of func(*events.Event) bool) (subject, from string, err error) {
	if kind == "build" {
		why, err := console.Get[apitypes.Why](a, "/why?of="+id.String())
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			return "", "", nil
		}
		for _, step := range why.Steps {
			if step.Asked && step.Event != nil {
				subject = step.Event.Subject
			}
		}
		return subject, "", err
	}
	if id.Version() == 7 { // it has the time at which it was made, a moment before its first event
		sec, nsec := id.Time().UnixTime()
		from = " since:" + time.Unix(sec, nsec).Add(-time.Minute).UTC().Format(time.RFC3339)
	}
	found := errors.New("found")
	err = eachExported(a, "type:"+kind+".*"+from, func(e events.Event) error {
		if of(&e) {
			subject = e.Subject
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		err = nil
	}
	return subject, from, err
}

// around are some events with their causes and effects, in the order of the log.
func around(all map[string]events.Event, own []string) (list []events.Event) {
	effects := map[string][]string{}
	for id, e := range all {
		effects[e.Cause()] = append(effects[e.Cause()], id)
	}
	taken := map[string]bool{}
	take := func(id string) bool {
		e, ok := all[id]
		if !ok || taken[id] {
			return false
		}
		taken[id] = true
		list = append(list, e)
		return true
	}
	for rest := own; len(rest) > 0; rest = rest[1:] {
		if take(rest[0]) {
			rest = append(rest, effects[rest[0]]...)
		}
	}
	for _, id := range own {
		for e := all[id]; take(e.Cause()); {
			e = all[e.Cause()]
		}
	}
	slices.SortFunc(list, func(a, b events.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}

// eachExported calls item with all events that match a filter.
func eachExported(a *console.API, query string, item func(events.Event) error) error {
	for after := "0"; ; {
		answer, err := a.Open(eventsPath+"/export", url.Values{"q": {query}, "format": {"cloudevents"}, "after": {after}, "limit": {strconv.Itoa(eventsPerReceiver)}})
		if err != nil {
			return err
		}
		// An answer that goes on beyond what is kept in memory is asked for again from there.
		text, whole, err := readLines(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			e, err := cloudevent.Parse(bytes.TrimSuffix(line, []byte("\n")))
			if err == nil {
				err = item(e)
			}
			if err != nil {
				return err
			}
			after = strconv.FormatUint(e.Seq, 10)
		}
		if whole {
			if answer.Header.Get(apitypes.HeaderMore) != "true" {
				return nil
			}
			after = answer.Header.Get(apitypes.HeaderThrough)
		}
	}
}
