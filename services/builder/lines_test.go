package builder

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/services/builder/sealedlog"
	"hubledger/services/internal/apitypes"
)

func TestLinesOfLog(t *testing.T) {
	l := logLines{before: 1 << 40, limit: 100, open: map[int]*apitypes.BuildLogLine{}}
	for _, c := range []sealedlog.Chunk{{Step: 1, Data: []byte("one\ntw")}, {Step: 2, Data: []byte("other\n\n")}, {Step: 1, Data: []byte("o\r\nthree")}} {
		l.add(c)
	}
	var got []string
	for _, line := range l.kept {
		got = append(got, fmt.Sprintf("%d %d %q %v", line.Number, line.Step, line.Text, line.Open))
	}
	if want := `1 1 "one" false|2 1 "two\r" false|3 2 "other" false|4 2 "" false|5 1 "three" true`; strings.Join(got, "|") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "|"), want)
	}
}

// What is kept of a log is bounded by its lines, by the length of each, and by all bytes.
func TestLinesAreBounded(t *testing.T) {
	l := logLines{before: 1 << 40, limit: 2000, open: map[int]*apitypes.BuildLogLine{}}
	long := []byte(strings.Repeat("x", 3*maxLine) + "\n")
	for range 3000 {
		l.add(sealedlog.Chunk{Data: long})
	}
	if first := l.kept[0]; l.total != 3000 || len(l.kept) != maxLineText/maxLine || l.size != maxLineText || len(first.Text) != maxLine || !first.Cut || first.Number != 3000-len(l.kept)+1 {
		t.Errorf("%d lines, %d kept with %d bytes from %d on", l.total, len(l.kept), l.size, l.kept[0].Number)
	}
	earlier := logLines{before: 100, limit: 10, open: map[int]*apitypes.BuildLogLine{}}
	for n := range 3000 {
		earlier.add(sealedlog.Chunk{Data: fmt.Appendf(nil, "%d\n", n+1)})
	}
	if len(earlier.kept) != 10 || earlier.kept[0].Number != 90 || earlier.kept[9].Text != "99" {
		t.Errorf("before 100: %d lines, from %+v on", len(earlier.kept), earlier.kept[0])
	}
}
