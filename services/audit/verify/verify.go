// Package verify compares what a hub has of its log: the log itself, the journal, the
// Merkle tree and the signed checkpoint must all say the same.
package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
)

// Config says what is compared.
type Config struct {
	// Last is how many events the log has. What comes after them is not looked at.
	Last uint64
	// Log calls yield with the events of the log, in order, from the first to Last. An error
	// means that the event behind the last one cannot be read.
	Log     func(ctx context.Context, yield func(*events.Event) error) error
	Journal projections.DB // nil: there is none
	Dir     tree.Dir
	// Keys must have signed the last checkpoint; nil: those in Dir, whichever they are.
	Keys checkpoint.Keys
	// Since is an older checkpoint, with which the log must be consistent; nil: none.
	Since *checkpoint.Checkpoint
	// Witnesses are those whose cosignatures count; nil: all that Dir has the keys of.
	Witnesses []*checkpoint.WitnessKey
	Progress  func(done, total uint64)
}

// A Finding is something that is not as it should be.
type Finding struct {
	Seq  uint64 `json:"seq,omitempty"` // of the event; 0 when it is not about a single one
	What string `json:"what"`
}

// String is the finding for people.
func (f Finding) String() string {
	if f.Seq == 0 {
		return f.What
	}
	return fmt.Sprintf("event %d: %s", f.Seq, f.What)
}

// A Report is what was found.
type Report struct {
	Events uint64 `json:"events"` // that were compared
	Root   string `json:"root"`   // hash of all of them, in hexadecimal digits
	Origin string `json:"origin,omitempty"`
	Signed uint64 `json:"signed"`          // events in the last signed checkpoint; 0 when there is none
	Since  uint64 `json:"since,omitempty"` // events in the older checkpoint
	// Witnesses is how many witnesses there are, and Cosigned are the names of those that
	// have cosigned the last checkpoint.
	Witnesses int       `json:"witnesses,omitempty"`
	Cosigned  []string  `json:"cosigned,omitempty"`
	Redacted  []uint64  `json:"redacted,omitempty"` // events whose data was taken away; at most MaxRedacted are named
	Findings  []Finding `json:"findings,omitempty"` // the lowest sequence first; at most MaxFindings
}

// MaxFindings is after how many findings the comparison ends.
const MaxFindings = 20

// MaxRedacted bounds how many redacted events a report names.
const MaxRedacted = 1000

// errEnough ends a comparison that has found enough.
var errEnough = errors.New("enough was found")

// Run compares. An error means that the comparison could not be made; what is wrong with
// the log stands in the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &verifier{Config: c, report: &Report{Events: c.Last}}
	if c.Since != nil {
		v.report.Since = uint64(c.Since.N)
	}
	v.readSigned()
	v.log = start(ctx, func(yield func(row) error) error {
		return c.Log(ctx, func(e *events.Event) error { return yield(eventRow(e)) })
	})
	if c.Journal != nil {
		v.journal = start(ctx, func(yield func(row) error) error { return readJournal(ctx, c.Journal, c.Last, yield) })
	}
	err := v.walk(ctx)
	if err == nil {
		v.finish()
	} else if errors.Is(err, errEnough) {
		err = nil
	}
	return v.report, err
}

type verifier struct {
	Config
	report       *Report
	log, journal *stream // nil when there is none, or it has come to its end
	signed       checkpoint.Checkpoint
	edge         tree.Edge
	tile         []byte // the one of level 0 at hand, nil when it cannot be read
}

func (v *verifier) found(seq uint64, format string, of ...any) error {
	v.report.Findings = append(v.report.Findings, Finding{seq, fmt.Sprintf(format, of...)})
	if len(v.report.Findings) == MaxFindings {
		return errEnough
	}
	return nil
}

func (v *verifier) readSigned() {
	signed, c, err := v.Dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil && v.Keys != nil {
		c, err = checkpoint.Open(signed, v.Keys)
	}
	if err != nil {
		v.found(0, "the last signed checkpoint: %v", err)
		return
	}
	v.signed = c
	v.report.Origin, v.report.Signed = c.Origin, uint64(c.N)
	if v.Witnesses == nil {
		if v.Witnesses, err = v.Dir.Witnesses(); err != nil {
			v.found(0, "the keys of witnesses: %v", err)
		}
	}
	v.report.Witnesses = len(v.Witnesses)
	for _, by := range checkpoint.Cosignatures(signed, v.Witnesses) {
		v.report.Cosigned = append(v.report.Cosigned, by.Witness)
	}
}

// walk compares every event.
func (v *verifier) walk(ctx context.Context) error {
	for seq := uint64(1); seq <= v.Last; seq++ {
		if seq%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			v.Progress(seq, v.Last)
		}
		var copies []version
		in, err := v.log.at(seq)
		inLog := in
		if err != nil {
			if err := v.found(seq, "the log cannot be read from here on: %v", err); err != nil {
				return err
			}
			v.log = nil
		} else if v.log != nil && in == nil {
			if err := v.found(seq, "the log does not have it"); err != nil {
				return err
			}
		} else if in != nil {
			copies = append(copies, version{"the log", in.content})
		}
		if in, err = v.journal.at(seq); err != nil {
			return err
		}
		switch {
		case in != nil && in.err != nil:
			err = v.found(seq, "the journal cannot read it: %v", in.err)
		case in != nil:
			copies = append(copies, version{"the journal", in.content}, version{"the leaf in the journal", in.stored})
			if in.moved {
				err = v.found(seq, "the journal finds it by what it does not say: the columns of its row were changed")
			}
		case v.journal != nil && int64(seq) <= v.signed.N: // otherwise it is behind, which is no fault
			err = v.found(seq, "the journal does not have it")
		}
		if err != nil {
			return err
		}
		if err := v.compareRedacted(seq, inLog, in); err != nil {
			return err
		}
		leaf, ok, err := v.inTree(seq)
		if err != nil {
			return err
		}
		if ok {
			copies = append(copies, version{"the tree", leaf})
		}
		if err := v.add(seq, copies); err != nil {
			return err
		}
	}
	return nil
}

// compareRedacted compares what the log and the journal have of an event that was redacted in
// one of them. Its leaf does not say what that is.
func (v *verifier) compareRedacted(seq uint64, log, journal *row) error {
	if log == nil || !log.redacted && (journal == nil || !journal.redacted) {
		return nil
	}
	if log.redacted && len(v.report.Redacted) < MaxRedacted {
		v.report.Redacted = append(v.report.Redacted, seq)
	}
	switch {
	case journal == nil || journal.err != nil:
		return nil
	case log.redacted && !journal.redacted:
		return v.found(seq, "the log says that it was redacted, and the journal has it whole")
	case !log.redacted:
		return v.found(seq, "the journal says that it was redacted, and the log has it whole")
	case log.rest != journal.rest:
		return v.found(seq, "what the log and the journal have left of it, which was redacted, differs")
	}
	return nil
}

// add judges the copies of an event and takes the one that most of them have.
func (v *verifier) add(seq uint64, copies []version) error {
	leaf, differ := judge(copies)
	if differ != "" {
		if err := v.found(seq, "%s", differ); err != nil {
			return err
		}
	}
	if err := v.edge.Add(tlog.Hash(leaf), v.compareTile); err != nil {
		return err
	}
	size := v.edge.Size()
	if size == v.signed.N {
		if err := v.compareSigned(); err != nil {
			return err
		}
	}
	if v.Since != nil && size == v.Since.N && v.edge.Root() != v.Since.Hash {
		return v.found(0, "the first %d events are not those of the checkpoint of %s", size, v.Since.Origin)
	}
	return nil
}

// finish judges the ends.
func (v *verifier) finish() {
	root := v.edge.Root()
	v.report.Root = hex.EncodeToString(root[:])
	if v.signed.N > int64(v.Last) {
		v.found(v.Last+1, "the log ends before it, but a checkpoint of %d events was signed", v.signed.N)
	}
	if v.Since != nil && v.Since.N > int64(v.Last) {
		v.found(v.Last+1, "the log ends before it, but the older checkpoint has %d events (generation %s)", v.Since.N, checkpoint.GenerationOf(v.Since.Origin))
	}
	v.Progress(v.Last, v.Last)
}
