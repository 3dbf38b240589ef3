package audit_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/audit"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/cloudevent"
)

// exported are the events of an export, in requests of few events.
func (h *hub) exported(as, query string, limit int) (list []events.Event) {
	h.T.Helper()
	for after, n := "0", 0; ; n++ {
		answer := h.request(h.T.Context(), as, fmt.Sprintf("/api/v1/events/export?format=cloudevents&limit=%d&after=%s&q=%s", limit, after, url.QueryEscape(query)))
		if answer.StatusCode != 200 || n > 200 {
			h.T.Fatalf("as %q: %d", as, answer.StatusCode)
		}
		lines := 0
		for in := bufio.NewScanner(answer.Body); in.Scan(); lines++ {
			e, err := cloudevent.Parse(in.Bytes())
			if err != nil {
				h.T.Fatal(err)
			}
			list = append(list, e)
		}
		if lines > limit || answer.Header.Get(apitypes.HeaderGeneration) != h.Log().Generation() {
			h.T.Fatalf("%d events of %q", lines, answer.Header.Get(apitypes.HeaderGeneration))
		}
		if after = answer.Header.Get(apitypes.HeaderThrough); answer.Header.Get(apitypes.HeaderMore) == "false" {
			return list
		}
	}
}

// An export has exactly the events of the list, whoever asks, in answers of any size, and each
// as it is in the log.
func TestExportIsTheList(t *testing.T) {
	h := newHub(t)
	for as := range h.secrets {
		for _, query := range []string{"", "repo:acme/private", "type:image. -actor:tester", "namespace:acme", "since:1h before:0s", "type:none"} {
			want := seqsOf(h.all(as, query, "&order=oldest"))
			for _, limit := range []int{3, 100_000} {
				got := h.exported(as, query, limit)
				var seqs []uint64
				for k := range got {
					seqs = append(seqs, got[k].Seq)
					kept, err := h.Log().Get(t.Context(), got[k].Seq)
					if err != nil || events.LeafOf(kept) != events.LeafOf(&got[k]) {
						t.Errorf("event %d came as %+v, %v", got[k].Seq, got[k], err)
					}
				}
				if !slices.Equal(seqs, want) {
					t.Errorf("%q, %q, %d at once: %v, the list has %v", as, query, limit, seqs, want)
				}
			}
		}
	}
}

// The formats for people have what the list has.
func TestExportFormats(t *testing.T) {
	h := newHub(t)
	want := h.all("owner", "repo:acme/private", "&order=oldest")
	_, text := h.get("owner", "/api/v1/events/export?format=jsonl&q=repo:acme/private", nil)
	var got []apitypes.Event
	for line := range strings.Lines(text) {
		var e apitypes.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if !slices.Equal(texts(got), texts(want)) || !slices.Equal(seqsOf(got), seqsOf(want)) {
		t.Errorf("%v, not %v", texts(got), texts(want))
	}
	_, text = h.get("owner", "/api/v1/events/export?format=csv&q=repo:acme/private", nil)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != len(want)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for k, e := range want {
		if row := rows[k+1]; row[0] != fmt.Sprint(e.Seq) || row[3] != e.Actor || row[4] != e.Text || row[6] != e.ID {
			t.Errorf("%q is not %+v", row, e)
		}
	}
	if status, body := h.get("owner", "/api/v1/events/export?format=xml", nil); status != 422 {
		t.Errorf("another format: %d %s", status, body)
	}
	if status, body := h.get("owner", "/api/v1/events/export?q=colour:red", nil); status != 422 {
		t.Errorf("a wrong filter: %d %s", status, body)
	}
}

// No cell begins as a formula does.
func TestNoFormula(t *testing.T) {
	for cell, want := range map[string]string{"": "", "a": "a", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "1=1": "1=1", "'=1": "'=1"} {
		if got := audit.Harmless(cell); got != want {
			t.Errorf("%q is %q", cell, got)
		}
	}
}
