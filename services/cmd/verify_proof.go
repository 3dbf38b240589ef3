package cmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type verifyProofCmd struct {
	File    string   `arg:"" help:"Proof, as hubledger prove and the web UI write it, or a directory of proofs; - for the standard input."`
	Key     string   `required:"" help:"Public key that you know to be the log's: a file, or the key itself." placeholder:"KEY"`
	Witness []string `help:"Public key of a witness that must have cosigned the checkpoint: a file, or the key itself." placeholder:"KEY"`
}

func (verifyProofCmd) Help() string {
	return `Checks that the event in the file stands in the log of which the hub has signed the
checkpoint in the file, and shows the event. Needs no hub and no network. Of a directory
every proof is checked, and causes that are not among them are named. Exit code 0:
it does; 1: it does not, or the file is no proof.`
}

func (c *verifyProofCmd) Run(s *console.Session) error {
	keys, err := readKeys(c.Key)
	if err != nil {
		return err
	}
	witnesses, err := readWitnesses(c.Witness)
	if err != nil {
		return err
	}
	if info, err := os.Stat(c.File); err == nil && info.IsDir() {
		return verifyProofs(s, c.File, keys, witnesses)
	}
	item, err := verifyOne(c.File, keys, witnesses)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(item)
	}
	if item.Redacted {
		fmt.Fprintf(s.Out, "An event with the leaf below stands at place %d of the log %s, of which %d events were signed%s. It was redacted: nothing else that is shown of it is proved.\n\n", item.Seq, item.Origin, item.Events, cosignedText(item.Cosigned))
	} else {
		fmt.Fprintf(s.Out, "Event %d stands in the log %s, of which %d events were signed%s:\n\n", item.Seq, item.Origin, item.Events, cosignedText(item.Cosigned))
	}
	return printEvent(s, apitypes.FullEvent{Event: apitypes.Event{Seq: item.Seq, Subject: item.Subject}, Headers: item.Headers, Data: item.Data, Leaf: item.Leaf})
}

// verifyOne checks the proof in a file.
func verifyOne(file string, keys checkpoint.Keys, witnesses []*checkpoint.WitnessKey) (item provedEvent, err error) {
	text, err := readFile(file, proof.MaxSize)
	if err != nil {
		return item, err
	}
	p, err := proof.Parse(text)
	if err != nil {
		return item, fmt.Errorf("%s: %w", file, err)
	}
	e, in, err := p.Verify(keys)
	if err == nil {
		err = checkManifest(e)
	}
	var cosigned []string
	for _, w := range witnesses {
		if _, ok := w.Cosigned(p.Signed); !ok && err == nil {
			err = fmt.Errorf("the witness %s has not cosigned the checkpoint in it", w.Name())
		}
		cosigned = append(cosigned, w.Name())
	}
	if err != nil {
		return item, fmt.Errorf("%s proves nothing: %w", file, err)
	}
	item = provedEvent{Origin: in.Origin, Events: in.N, Seq: e.Seq, ID: e.ID(), Type: e.Type(), Subject: e.Subject, Headers: map[string]string{}, Data: e.Data, Leaf: fmt.Sprintf("%x", events.LeafOf(e)), Cosigned: cosigned}
	_, item.Redacted = e.Redacted()
	if !json.Valid(e.Data) { // of no service of ours
		if item.Data, err = json.Marshal(string(e.Data)); err != nil {
			return item, err
		}
	}
	for _, a := range e.Attributes {
		item.Headers[a.Name] = a.Value
	}
	return item, nil
}

// verifyProofs checks all proofs of a directory.
func verifyProofs(s *console.Session, dir string, keys checkpoint.Keys, witnesses []*checkpoint.WitnessKey) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no file *.tlog-proof", dir)
	}
	if err != nil {
		return err
	}
	var list []provedEvent
	known := map[string]uint64{} // by id
	for _, f := range files {
		item, err := verifyOne(f, keys, witnesses)
		if err != nil {
			return err
		}
		list, known[item.ID] = append(list, item), item.Seq
	}
	slices.SortFunc(list, func(a, b provedEvent) int { return cmp.Compare(a.Seq, b.Seq) })
	var rows [][]string
	redacted := 0
	for _, item := range list {
		if s.JSON {
			if err := s.Print(item); err != nil {
				return err
			}
		}
		cause := ""
		if id := item.Headers[events.AttrCause]; known[id] > 0 {
			cause = strconv.FormatUint(known[id], 10)
		} else if id != "" {
			cause = "not among them"
		}
		if item.Redacted {
			item.Type = "(redacted) " + item.Type
			redacted++
		}
		rows = append(rows, []string{strconv.FormatUint(item.Seq, 10), item.Headers[events.AttrTime], item.Type, item.Headers[events.AttrActor], cause})
	}
	if s.JSON {
		return nil
	}
	if err := s.Table([]string{"SEQ", "TIME", "TYPE", "ACTOR", "CAUSE"}, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "\n%d events stand in the log %s%s.\n", len(list), list[0].Origin, cosignedText(list[0].Cosigned))
	if redacted > 0 {
		_, err = fmt.Fprintf(s.Out, "Redacted: %d. Of a redacted event only the leaf is proved, and nothing that the table shows.\n", redacted)
	}
	return err
}

// A provedEvent is an event with the checkpoint that it is in.
type provedEvent struct {
	Origin   string            `json:"origin"`
	Events   int64             `json:"events"` // that were signed
	Seq      uint64            `json:"seq"`
	ID       string            `json:"id"`
	Type     string            `json:"type"`
	Subject  string            `json:"subject"`
	Headers  map[string]string `json:"headers"`
	Data     json.RawMessage   `json:"data"`
	Leaf     string            `json:"leaf"`
	Cosigned []string          `json:"cosigned,omitempty"` // names of the witnesses that were asked for
	// Redacted: only that an event of that leaf stands there is proved.
	Redacted bool `json:"redacted,omitempty"`
}

func cosignedText(by []string) string {
	if len(by) == 0 {
		return ""
	}
	return ", cosigned by " + strings.Join(by, ", ")
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
