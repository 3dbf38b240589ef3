package builder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	"hubledger/streams"
)

// files are an Archive in a directory.
type files struct {
	dir string
	put func() error // before a file is kept
}

func (f files) path(d digest.Digest) string { return filepath.Join(f.dir, "log-"+d.Encoded()) }

func (f files) Put(_ context.Context, write func(io.Writer) error) (digest.Digest, int64, error) {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return "", 0, err
	}
	if err := f.put(); err != nil {
		return "", 0, err
	}
	d := digest.FromBytes(content.Bytes())
	return d, int64(content.Len()), os.WriteFile(f.path(d), content.Bytes(), 0o600)
}

func (f files) Open(_ context.Context, d digest.Digest) (io.ReadSeekCloser, error) {
	return os.Open(f.path(d))
}

func (f files) RemoveOlder(context.Context, time.Time) error { return nil }

// later is a manager to which it is an hour later.
func later(m process.Manager) process.Manager {
	due := m.Due
	m.Due = func(ctx context.Context, now time.Time) ([]process.Task, error) { return due(ctx, now.Add(time.Hour)) }
	return m
}

// whole is a log, read piece by piece.
func whole(t testing.TB, s *Builder, build string) (text string) {
	t.Helper()
	b, err := s.Read.Build(t.Context(), build)
	check(t, err)
	for after := uint64(0); ; {
		chunks, err := s.readLog(t.Context(), b, after)
		check(t, err)
		if len(chunks) == 0 {
			return text
		}
		for _, c := range chunks {
			if c.Seq <= after {
				t.Fatalf("chunk %d comes behind %d", c.Seq, after)
			}
			text, after = text+fmt.Sprint(c.Step, ":", string(c.Data)), c.Seq
		}
	}
}

// A log is the same before and after it is sealed, and then the stream is free of it.
// A build that wrote nothing is sealed, too.
func TestSeal(t *testing.T) {
	w := newWorld(t)
	w.Archive = files{t.TempDir(), func() error { return nil }}
	ctx := t.Context()
	for n, text := range map[int]string{20: strings.Repeat("line \xff\n", 40_000), 21: ""} {
		w.queue(n, "c1", rule("base"))
		for k := range 12 {
			if text != "" {
				check(t, w.Log.Append(ctx, id(n), k%3, []byte(text[:n*1000*k])))
			}
		}
		before := whole(t, w.Builder, id(n))
		due, err := later(w.sealing()).Due(ctx, time.Now())
		if err != nil || len(due) != 0 {
			t.Errorf("a build that has not ended is due: %v, %v", due, err)
		}
		w.record(events.BuildFinished{Namespace: id(acme), Build: id(n), Outcome: events.BuildCancelled})
		if due, err := w.sealing().Due(ctx, time.Now()); err != nil || len(due) != 0 {
			t.Errorf("a build that has just ended is due: %v, %v", due, err)
		}
		if due, err = later(w.sealing()).Due(ctx, time.Now()); err != nil || len(due) != 1 || due[0].Key != id(n) {
			t.Fatalf("due are %v, %v", due, err)
		}
		done, err := w.sealing().Do(ctx, due[0])
		check(t, err)
		w.record(done.Event)
		check(t, w.sealing().Done(ctx, due[0]))
		if after := whole(t, w.Builder, id(n)); after != before {
			t.Errorf("%d bytes became %d when the log was sealed", len(before), len(after))
		}
		if left, err := w.Log.Builds(ctx); err != nil || len(left) != 0 {
			t.Errorf("the stream still has %v, %v", left, err)
		}
		e := done.Event.(events.BuildLogSealed)
		if (e.Digest == "") != (text == "") || (e.Written == 0) != (text == "") {
			t.Errorf("sealed as %+v", e)
		}
	}
}

// What is left in the stream of a log that was sealed goes, what is not sealed stays.
func TestDropSealed(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{20, 21} {
		w.queue(n, "c1", rule("base"))
		check(t, w.Log.Append(t.Context(), id(n), 1, []byte("late\n")))
	}
	w.record(events.BuildLogSealed{Namespace: id(acme), Build: id(20)})
	check(t, w.dropSealed(t.Context()))
	if left, err := w.Log.Builds(t.Context()); err != nil || len(left) != 1 || left[0] != id(21) {
		t.Errorf("left are %v, %v", left, err)
	}
}

// One log becomes one file and one event, wherever the process dies.
func TestSealingKilledAtEveryStep(t *testing.T) {
	service := func(t testing.TB, l *processtest.Life) *Builder {
		s := live(t, l)
		kept, err := streams.OpenBuildLog(context.Background(), l.Log.Log)
		check(t, err)
		s.Log, s.Archive = keptLog{kept}, files{l.Dir, func() error { return l.Step(func() error { return nil }) }}
		return s
	}
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			prepared(rulesOf(rule("base")), moved("refs/heads/main", "", "c1"),
				events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: rule("base")})(t, l)
			check(t, service(t, l).Log.Append(context.Background(), id(20), 1, []byte("a line\n")))
			prepared(events.BuildFinished{Namespace: id(acme), Build: id(20), Outcome: events.BuildCancelled})(t, l)
		},
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return later(service(t, l).sealing()) },
		State: func(t testing.TB, l *processtest.Life) string {
			s := service(t, l)
			sealed, err := s.Read.SealedLog(context.Background(), id(20))
			if err != nil {
				return err.Error()
			}
			check(t, s.dropSealed(context.Background()))
			left, err := s.Log.Builds(context.Background())
			check(t, err)
			names, err := fs.Glob(os.DirFS(l.Dir), "log-*")
			check(t, err)
			return fmt.Sprint(sealed.Written, " bytes in ", len(names), " file: ", whole(t, s, id(20)), "; logs in the stream: ", len(left))
		},
	})
}

// A download that began while the build ran has all of its log, also when the log is
// sealed meanwhile.
func TestDownloadAcrossTheSeal(t *testing.T) {
	w := newWorld(t)
	w.Archive = files{t.TempDir(), func() error { return nil }}
	ctx := t.Context()
	w.queue(20, "c1", rule("base"))
	var text strings.Builder
	for k := range 12 {
		piece := strings.Repeat(fmt.Sprintf("line %d\n", k), 30_000)
		text.WriteString(piece)
		check(t, w.Log.Append(ctx, id(20), 1, []byte(piece)))
	}
	write, err := w.rawLog(ctx, &endpoint.Call{Repository: &accounts.Repository{ID: id(app)}}, &BuildPath{Build: id(20)})
	check(t, err)
	w.record(events.BuildFinished{Namespace: id(acme), Build: id(20), Outcome: events.BuildCancelled})
	due, err := later(w.sealing()).Due(ctx, time.Now())
	check(t, err)
	done, err := w.sealing().Do(ctx, due[0])
	check(t, err)
	w.record(done.Event)
	check(t, w.sealing().Done(ctx, due[0]))
	answer := httptest.NewRecorder()
	check(t, write(ctx, answer))
	if answer.Body.String() != text.String() {
		t.Errorf("%d of %d bytes came", answer.Body.Len(), text.Len())
	}
}
