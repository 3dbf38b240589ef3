package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/eventquery"
)

type proveCmd struct {
	Event proveEventCmd `cmd:"" help:"Prove that an event stands in the log."`
	Push  provePushCmd  `cmd:"" help:"Prove that an image was pushed: the event with its manifest."`

	Build      proveBuildCmd      `cmd:"" help:"Prove all events of a build, what led to it and what it led to."`
	Deployment proveDeploymentCmd `cmd:"" help:"Prove all events of a deployment, what led to it and what it led to."`
}

// A proofTarget says of which hub a proof is, and where it goes.
type proofTarget struct {
	console.Target
	Output string `short:"o" help:"File to write; - for the standard output. Default: event-SEQ.tlog-proof." placeholder:"FILE"`
}

type proveEventCmd struct {
	proofTarget
	Event string `arg:"" help:"Sequence number or id of the event."`
}

type provePushCmd struct {
	proofTarget
	Image string `arg:"" help:"Image, such as team/app@sha256:…"`
}

func (c *proveEventCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	one, err := console.Get[apitypes.FullEvent](a, client.Path("events", c.Event))
	if err != nil {
		return err
	}
	return c.write(a, one.Event)
}

func (c *provePushCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	repository, digest, ok := strings.Cut(c.Image, "@")
	if !ok || repository == "" {
		return fmt.Errorf("%.200q does not name an image by its digest: write it as team/app@sha256:…", c.Image)
	}
	var q eventquery.Query
	for _, t := range []eventquery.Term{{Name: "type", Value: "image.pushed"}, {Name: "repo", Value: repository}, {Name: "digest", Value: digest}} {
		if q, err = q.With(t); err != nil {
			return fmt.Errorf("%.200q does not name an image by its digest: %w", c.Image, err)
		}
	}
	var first *apitypes.Event
	found := errors.New("found")
	err = console.Each(a, "/events", url.Values{"q": {q.String()}, "order": {"oldest"}}, func(e apitypes.Event) error {
		if !pushes(e, digest) {
			return nil
		}
		first = &e
		return found
	})
	if err != nil && !errors.Is(err, found) {
		return err
	}
	if first == nil {
		return fmt.Errorf("the log has no push of %s that you may read", c.Image)
	}
	return c.write(a, *first)
}

// pushes says whether an event pushed the image of a digest, or of one that begins so.
// The filter also finds pushes that only name the digest, as a layer or as their subject.
func pushes(e apitypes.Event, digest string) bool {
	k := slices.IndexFunc(e.Parts, func(p apitypes.EventPart) bool { return p.Kind == "image" })
	if k < 0 {
		return false
	}
	_, pushed, _ := strings.Cut(e.Parts[k].Name, "@")
	asked := strings.ToLower(eventquery.DigestDigits(digest))
	return asked != "" && strings.HasPrefix(eventquery.DigestDigits(pushed), asked)
}

// untilSigned bounds the wait for the next checkpoint.
const untilSigned = 90 * time.Second

// proofOf gets the proof of an event, if necessary when the next checkpoint is signed.
func proofOf(a *console.API, e apitypes.Event) ([]byte, error) {
	s, path := a.Session, client.Path("events", fmt.Sprint(e.Seq), "proof")
	text, err := a.Text(path)
	for begin, told := time.Now(), false; isUnsigned(err) && time.Since(begin) < untilSigned; text, err = a.Text(path) {
		if !told {
			told = true
			fmt.Fprintf(s.Err, "event %d is not signed yet: waiting for the next checkpoint, a minute at most\n", e.Seq)
		}
		select {
		case <-s.Context.Done():
			return nil, client.ErrInterrupted
		case <-time.After(2 * time.Second):
		}
	}
	return text, err
}

// write writes the proof of an event.
func (t *proofTarget) write(a *console.API, e apitypes.Event) error {
	s := a.Session
	text, err := proofOf(a, e)
	if err != nil {
		return err
	}
	if t.Output == "-" {
		_, err := s.Out.Write(text)
		return err
	}
	if t.Output == "" {
		t.Output = fmt.Sprintf("event-%d.tlog-proof", e.Seq)
	}
	if err := durable.ReplaceFile(t.Output, text, 0o644); err != nil {
		return err
	}
	cosigned, err := cosignersOf(a, text)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(map[string]any{"seq": e.Seq, "id": e.ID, "type": e.Type, "file": t.Output, "bytes": len(text), "cosigned": cosigned})
	}
	fmt.Fprintf(s.Out, "%s proves event %d: %s %s\n", t.Output, e.Seq, e.Actor, e.Text)
	if len(cosigned) > 0 {
		fmt.Fprintf(s.Out, "Its checkpoint is%s.\n", strings.TrimPrefix(cosignedText(cosigned), ","))
	}
	_, err = fmt.Fprintf(s.Out, "Check it with `hubledger verify-proof %s --key KEY`; `hubledger checkpoint --key` prints the key.\n", t.Output)
	return err
}

// cosignersOf are the witnesses that have cosigned the checkpoint in a proof, of those that
// the hub knows.
func cosignersOf(a *console.API, text []byte) ([]string, error) {
	names := []string{}
	p, err := proof.Parse(text)
	if err != nil {
		return names, err
	}
	known, err := console.Get[apitypes.Checkpoint](a, "/checkpoint")
	if err != nil {
		return names, err
	}
	keys, err := checkpoint.ParseWitnessKeys(strings.Join(known.Witnesses, "\n"))
	for _, one := range checkpoint.Cosignatures(p.Signed, keys) {
		names = append(names, one.Witness)
	}
	return names, err
}

func isUnsigned(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusConflict
}

func (c *checkpointCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", "/checkpoint", nil, func(v apitypes.Checkpoint) error {
		text := v.Signed
		if c.Key {
			text = strings.Join(v.Keys, "\n") + "\n"
		}
		_, err := fmt.Fprint(s.Out, text)
		return err
	})
}
