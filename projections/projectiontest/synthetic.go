package projectiontest

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
)

// Step is the data of a synthetic event: operations spelled out.
type Step struct {
	Writes []Write `json:"writes,omitempty"`
	Poison string  `json:"poison,omitempty"` // "error" or "panic"
}

// Write is one operation on a row of the aggregate.
type Write struct {
	Table  string `json:"table"`
	Key    int64  `json:"key"`
	Delete bool   `json:"delete,omitempty"`
	N      int64  `json:"n,omitempty"`
	Text   string `json:"text,omitempty"`
	Data   []byte `json:"data,omitempty"`
}

// Type of synthetic events.
const StepType = "synthetic.step.v1"

var (
	history = &projections.Table{Name: "history", Key: 3, Merge: projections.Insert, Columns: []projections.Column{
		{Name: "aggregate", Kind: projections.Text}, {Name: "key", Kind: projections.Int}, {Name: "digest", Kind: projections.Bytes},
		{Name: "note", Kind: projections.Text}, {Name: "data", Kind: projections.Bytes}},
		Indexes: [][]string{{"digest", "key"}}}
	current = &projections.Table{Name: "current", Key: 2, Merge: projections.Put, Columns: []projections.Column{
		{Name: "aggregate", Kind: projections.Text}, {Name: "key", Kind: projections.Int},
		{Name: "seq", Kind: projections.Int}, {Name: "note", Kind: projections.Text}, {Name: "data", Kind: projections.Bytes}},
		Indexes: [][]string{{"note"}, {"seq"}}}
	// chosen has a seq of the event's own choice, and all aggregates write it.
	chosen = &projections.Table{Name: "chosen", Key: 1, Merge: projections.Put, Columns: []projections.Column{
		{Name: "key", Kind: projections.Int}, {Name: "note", Kind: projections.Text}, {Name: "seq", Kind: projections.Int}}}
	counts = &projections.Table{Name: "counts", Key: 1, Merge: projections.Add, Columns: []projections.Column{
		{Name: "key", Kind: projections.Int}, {Name: "n", Kind: projections.Int}, {Name: "events", Kind: projections.Int}}}
	latest = &projections.Table{Name: "latest", Key: 1, Merge: projections.Max, Columns: []projections.Column{
		{Name: "key", Kind: projections.Bytes}, {Name: "n", Kind: projections.Int}}}
	held = &projections.Table{Name: "held", Key: 2, Merge: projections.Insert, Columns: []projections.Column{
		{Name: "digest", Kind: projections.Bytes}, {Name: "aggregate", Kind: projections.Text}}}
)

// Synthetic has a table of every kind of Merge, keys of every kind, and rows
// that are deleted and written again.
var Synthetic = &projections.Projection{
	Name: "synthetic", Version: 1,
	Tables:  []*projections.Table{history, current, chosen, counts, latest, held},
	Types:   []string{StepType},
	Apply:   applyStep,
	Queries: []projections.Query{{Name: "current", Run: notes}},
}

// notes are the live rows of current.
func notes(ctx context.Context, db *sql.DB, yield func(key, result string) error) error {
	rows, err := db.QueryContext(ctx, `SELECT aggregate, "key", note FROM current`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var aggregate, note string
		var key int64
		if err := rows.Scan(&aggregate, &key, &note); err != nil {
			return err
		}
		if err := yield(fmt.Sprint(aggregate, " ", key), note); err != nil {
			return err
		}
	}
	return rows.Err()
}

func applyStep(e *events.Event, ops *projections.Ops) error {
	var s Step
	if err := json.Unmarshal(e.Data, &s); err != nil {
		return err
	}
	switch s.Poison {
	case "error":
		return errors.New("poison")
	case "panic":
		panic("poison")
	}
	for _, w := range s.Writes {
		if err := w.apply(e, ops); err != nil {
			return err
		}
	}
	return nil
}

func (w Write) apply(e *events.Event, ops *projections.Ops) error {
	own, key, n := projections.TextValue(e.Subject), projections.IntValue(w.Key), projections.IntValue(w.N)
	note, data := projections.TextValue(w.Text), projections.BytesValue(w.Data)
	digest := projections.BytesValue(binary.BigEndian.AppendUint32([]byte{0, 0xff, 0}, uint32(w.Key)))
	switch {
	case w.Table == "history" && w.Delete:
		ops.Delete(history, own, key, digest)
	case w.Table == "history":
		ops.Write(history, own, key, digest, note, data)
	case w.Table == "current" && w.Delete:
		ops.Delete(current, own, key)
	case w.Table == "current":
		ops.Write(current, own, key, projections.IntValue(int64(e.Seq)), note, data)
	case w.Table == "held" && w.Delete:
		ops.Delete(held, digest, own)
	case w.Table == "held":
		ops.Write(held, digest, own)
	case w.Table == "chosen" && !w.Delete:
		ops.Write(chosen, key, note, n)
	case w.Table == "counts" && !w.Delete:
		ops.Write(counts, key, n, projections.IntValue(1))
	case w.Table == "latest" && !w.Delete:
		ops.Write(latest, digest, n)
	default:
		return fmt.Errorf("cannot do that to table %q", w.Table)
	}
	return nil
}

// Event is a synthetic event of one aggregate.
func (s Step) Event(aggregate string) events.Event {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return Envelope(events.Event{Subject: "evt._.synthetic." + aggregate, Data: data}, StepType)
}

// Envelope gives an event of a type the attributes that Check wants.
func Envelope(e events.Event, eventType string) events.Event {
	e.Attributes = []events.Attribute{
		{Name: events.AttrActor, Value: "anonymous"},
		{Name: events.AttrContentType, Value: "application/json"},
		{Name: events.AttrID, Value: uuid.NewSHA1(uuid.Nil, e.Data).String()},
		{Name: events.AttrSource, Value: "/test"},
		{Name: events.AttrSpecVersion, Value: "1.0"},
		{Name: events.AttrTime, Value: "2026-11-22T10:00:00.000000Z"},
		{Name: events.AttrType, Value: eventType},
	}
	return e
}
