package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"hubledger/services/internal/apitypes"
)

// list prints a list of the API: with --json its items unchanged, else a
// table, or the text empty when there are no items.
func list[T any](a *api, path string, query url.Values, empty string, header []string, row func(T) []string) error {
	var rows [][]string
	err := a.each(path, query, func(raw json.RawMessage) error {
		if a.s.json {
			return a.s.raw(raw)
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("the hub's answer cannot be read: %w", err)
		}
		rows = append(rows, row(v))
		return nil
	})
	if err != nil || a.s.json {
		return err
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(a.s.out, empty)
		return err
	}
	return a.s.table(header, rows)
}

// show prints one object of the API: unchanged with --json, else as pairs of
// name and value.
func show[T any](a *api, path string, query url.Values, facts func(T) [][]string) error {
	raw, err := a.do("GET", path, query, nil)
	if err != nil {
		return err
	}
	if a.s.json {
		return a.s.raw(raw)
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	return a.s.facts(facts(v))
}

// change sends a change and prints message with the sequence of its event.
func (a *api) change(method, path string, body any, message string) error {
	return a.changeWith(method, path, nil, body, message)
}

func (a *api) changeWith(method, path string, query url.Values, body any, message string) error {
	raw, err := a.do(method, path, query, body)
	if err != nil {
		return err
	}
	if a.s.json {
		return a.s.raw(raw)
	}
	var d apitypes.Change
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(a.s.out, "%s (event %d).\n", message, d.Seq)
	return err
}

// raw prints JSON from the hub on one line.
func (s *session) raw(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	b.WriteByte('\n')
	_, err := s.out.Write(b.Bytes())
	return err
}

// rawOr returns err, or prints raw if there is no error.
func (s *session) rawOr(raw json.RawMessage, err error) error {
	if err != nil {
		return err
	}
	return s.raw(raw)
}

// facts prints pairs of name and value; it leaves out those with an empty value.
func (s *session) facts(pairs [][]string) error {
	var b strings.Builder
	for _, p := range pairs {
		if p[1] != "" {
			fmt.Fprintf(&b, "%-13s %s\n", p[0], p[1])
		}
	}
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

// at formats a time; without one it is "-".
func at(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

func join(words []string) string { return strings.Join(words, ", ") }

// yes is word if b is true, else empty.
func yes(b bool, word string) string {
	if b {
		return word
	}
	return ""
}

// path joins segments to a path; it escapes each of them.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}
