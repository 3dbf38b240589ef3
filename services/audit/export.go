package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cloudevent"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
)

const exportAbout = "The oldest first. An answer has at most `limit` events. The header `" + apitypes.HeaderThrough + "` is the sequence as far as which it has all that match; where `" +
	apitypes.HeaderMore + "` is true, ask again with that as `after`. An answer that breaks off is not whole. `csv` and `jsonl` have what the list has; `cloudevents` are CloudEvents 1.0 with all " +
	"of the event, one a line (structured mode, JSON format), which `hubledger events replay` reads. A cell of CSV that a spreadsheet would take for a formula begins with an apostrophe."

type exportIn struct {
	Filter
	Format string `query:"format" enum:"cloudevents,jsonl,csv" default:"jsonl" doc:"How events are written, each on a line"`
	After  uint64 `query:"after" maximum:"9007199254740991" doc:"Only events behind this sequence"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100000" default:"10000" doc:"How many events at most"`
}

func (a *Audit) export(ctx context.Context, c *endpoint.Call, in *exportIn) (func(context.Context, http.ResponseWriter) error, error) {
	q, err := in.parse()
	if err != nil {
		return nil, err
	}
	x, err := a.Log.Export(ctx, c.Principal, q, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, to http.ResponseWriter) error {
		h := to.Header()
		h.Set(apitypes.HeaderThrough, strconv.FormatUint(x.Through, 10))
		h.Set(apitypes.HeaderMore, strconv.FormatBool(x.More))
		h.Set(apitypes.HeaderGeneration, a.Signing.Generation)
		f := formats[in.Format]
		h.Set("Content-Type", f.mediaType)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "events." + f.suffix}))
		return f.write(ctx, x, to)
	}, nil
}

// A format is a way to write events.
type format struct {
	mediaType, suffix string
	write             func(ctx context.Context, x *eventlog.Export, to http.ResponseWriter) error
}

var formats = map[string]format{
	"cloudevents": {"application/jsonl; charset=utf-8", "cloudevents.jsonl", writeCloudEvents},
	"jsonl":       {"application/jsonl; charset=utf-8", "jsonl", writeJSONLines},
	"csv":         {"text/csv; charset=utf-8; header=present", "csv", writeCSV},
}

// chunk is how many bytes are gathered before they are sent.
const chunk = 64 << 10

func writeCloudEvents(ctx context.Context, x *eventlog.Export, to http.ResponseWriter) error {
	buffer := make([]byte, 0, 2*chunk)
	err := x.EachBare(ctx, func(e *eventlog.Event) (err error) {
		if buffer, err = cloudevent.Append(buffer, &e.Event); err != nil {
			return err
		}
		if buffer = append(buffer, '\n'); len(buffer) >= chunk {
			_, err = to.Write(buffer)
			buffer = buffer[:0]
		}
		return err
	})
	if err == nil {
		_, err = to.Write(buffer)
	}
	return err
}

func writeJSONLines(ctx context.Context, x *eventlog.Export, to http.ResponseWriter) error {
	out := json.NewEncoder(to)
	return x.Each(ctx, func(e *eventlog.Event) error { return out.Encode(shownEvent(e)) })
}

func writeCSV(ctx context.Context, x *eventlog.Export, to http.ResponseWriter) error {
	out := csv.NewWriter(to)
	if err := out.Write([]string{"seq", "time", "type", "actor", "what", "subject", "id", "cause", "correlation"}); err != nil {
		return err
	}
	err := x.Each(ctx, func(e *eventlog.Event) error {
		v := shownEvent(e)
		row := []string{strconv.FormatUint(v.Seq, 10), v.Time.UTC().Format(time.RFC3339Nano), v.Type, v.Actor, v.Text, v.Subject, v.ID, v.Cause, v.Correlation}
		for k, cell := range row {
			row[k] = harmless(cell)
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		err = fmt.Errorf("write CSV: %w", err)
	}
	return err
}

// harmless is a cell that no spreadsheet takes for a formula (OWASP, CSV injection).
func harmless(cell string) string {
	if cell == "" {
		return cell
	}
	switch cell[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + cell
	}
	return cell
}
