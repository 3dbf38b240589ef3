package cmd

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
)

// Each chapter has types that exist, and no type is in two of them.
func TestChaptersOfReport(t *testing.T) {
	in := map[string]string{}
	var all []string
	for _, kind := range events.Types {
		all = append(all, kind.Prototype.EventType())
	}
	for _, ch := range chapters() {
		for _, pattern := range ch.types {
			one := chapter{types: []string{pattern}}
			if !slices.ContainsFunc(all, one.has) {
				t.Errorf("chapter %s: there is no type %s", ch.Name, pattern)
			}
		}
		for _, kind := range all {
			if ch.has(kind) {
				if in[kind] != "" {
					t.Errorf("%s is in %s and %s", kind, in[kind], ch.Name)
				}
				in[kind] = ch.Name
			}
		}
	}
}

// What people may choose stands in a report as text: neither Markdown nor HTML, nor what turns a line around.
func TestReportIsText(t *testing.T) {
	hostile := "x|y](https://evil) <script>alert(1)</script> **bold** \x1b[31m\u202e `code`"
	ch := &chapter{Title: "Pushed", Rows: []apitypes.Event{{Seq: 7, Time: time.Unix(0, 0), Actor: "mallory", Text: hostile}}}
	ch.count()
	r := report{Hub: "hub.example", Since: "1d", Made: time.Unix(0, 0), Chapters: []*chapter{ch, {Title: "Built"}}, Events: 1, Cut: true}
	var md, page bytes.Buffer
	if err := r.markdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := reportPage.Execute(&page, r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"markdown": md.String(), "html": page.String()} {
		for _, bad := range []string{"<script>", "](https", " **bold**", "\x1b", "\u202e", "x|y"} {
			if strings.Contains(text, bad) && !(name == "html" && (bad == "x|y" || bad == "](https" || bad == " **bold**")) {
				t.Errorf("%s has %q:\n%s", name, bad, text)
			}
		}
		for _, want := range []string{"mallory", "hub.example", "1970-01-01T00:00:00Z", "Nothing.", "more events than 1"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
	}
}
