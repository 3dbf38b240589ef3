package cmd

import (
	"encoding/json"
	"fmt"

	"hubledger/events"
	"hubledger/services/audit/proof"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type verifyProofCmd struct {
	File string `arg:"" help:"Proof, as hubledger prove and the web UI write it; - for the standard input."`
	Key  string `required:"" help:"Public key that you know to be the log's: a file, or the key itself." placeholder:"KEY"`
}

func (verifyProofCmd) Help() string {
	return `Checks that the event in the file stands in the log of which the hub has signed the
checkpoint in the file, and shows the event. Needs no hub and no network. Exit code 0:
it does; 1: it does not, or the file is no proof.`
}

func (c *verifyProofCmd) Run(s *console.Session) error {
	keys, err := readKeys(c.Key)
	if err != nil {
		return err
	}
	text, err := readFile(c.File, proof.MaxSize)
	if err != nil {
		return err
	}
	p, err := proof.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	e, in, err := p.Verify(keys)
	if err == nil {
		err = checkManifest(e)
	}
	if err != nil {
		return fmt.Errorf("%s proves nothing: %w", c.File, err)
	}
	item := provedEvent{Origin: in.Origin, Events: in.N, Seq: e.Seq, ID: e.ID(), Type: e.Type(), Subject: e.Subject, Headers: map[string]string{}, Data: e.Data, Leaf: fmt.Sprintf("%x", events.LeafOf(e))}
	if !json.Valid(e.Data) { // of no service of ours
		if item.Data, err = json.Marshal(string(e.Data)); err != nil {
			return err
		}
	}
	for _, a := range e.Attributes {
		item.Headers[a.Name] = a.Value
	}
	if s.JSON {
		return s.Print(item)
	}
	fmt.Fprintf(s.Out, "Event %d stands in the log %s, of which %d events were signed:\n\n", e.Seq, in.Origin, in.N)
	return printEvent(s, apitypes.FullEvent{Event: apitypes.Event{Seq: e.Seq, Subject: e.Subject}, Headers: item.Headers, Data: item.Data, Leaf: item.Leaf})
}

// A provedEvent is an event with the checkpoint that it is in.
type provedEvent struct {
	Origin  string            `json:"origin"`
	Events  int64             `json:"events"` // that were signed
	Seq     uint64            `json:"seq"`
	ID      string            `json:"id"`
	Type    string            `json:"type"`
	Subject string            `json:"subject"`
	Headers map[string]string `json:"headers"`
	Data    json.RawMessage   `json:"data"`
	Leaf    string            `json:"leaf"`
}

// checkManifest makes sure that a push has the manifest that it names.
func checkManifest(e *events.Event) error {
	decoded, err := events.Decode(e)
	pushed, ok := decoded.(events.ImagePushed)
	if err != nil || !ok {
		return nil // another type, or one that this program does not know
	}
	if err := pushed.Digest.Validate(); err != nil {
		return err
	}
	if got := pushed.Digest.Algorithm().FromBytes(pushed.Manifest); got != pushed.Digest {
		return fmt.Errorf("the event names the manifest %s, and has the one of %s", pushed.Digest, got)
	}
	return nil
}

type checkpointCmd struct {
	console.Target
	Key bool `help:"Print the public keys that have signed checkpoints instead, the latest last."`
}
