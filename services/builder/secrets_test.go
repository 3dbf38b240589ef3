package builder

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
)

// records are the values of secrets of acme/app, by their records.
type records map[string]string

func (r records) Get(_ context.Context, name string) ([]byte, uint64, error) {
	value, ok := r[strings.TrimPrefix(name, "build."+id(app)+".")]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return []byte(value), 1, nil
}

func (r records) Update(context.Context, string, []byte, uint64) (uint64, error) {
	return 0, errors.New("nothing is to be written")
}

// A rule gets the secrets that it names, if they are there and meant for it; otherwise
// its build fails with that reason before anything is fetched.
func TestSecrets(t *testing.T) {
	secret := func(name, record string, forFile bool) events.BuildSecretSet {
		return events.BuildSecretSet{Namespace: id(acme), Repository: id(app), Name: "acme/app", Secret: name, Record: record, ForFile: forFile}
	}
	for name, c := range map[string]struct {
		names             []string
		fromFile, foreign bool
		reason, part, got string
	}{
		"two of them":              {[]string{"A", "B"}, false, false, "", "", "A=a B=b"},
		"one that was replaced":    {[]string{"C"}, false, false, "", "", "C=new"},
		"one that is not there":    {[]string{"A", "NONE"}, false, false, "secret", "rules secrets set acme/app NONE", ""},
		"one that was removed":     {[]string{"GONE"}, false, false, "secret", "has none of that name", ""},
		"one whose value is lost":  {[]string{"LOST"}, false, false, "secret", "lost", ""},
		"a file, not meant for it": {[]string{"A"}, true, false, "secret", "--for-file", ""},
		"a file, meant for it":     {[]string{"B"}, true, false, "", "", "B=b"},
		"of a fork":                {[]string{"A", "NONE"}, false, true, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Secrets = records{"a": "a", "b": "b", "new": "new"}
			w.record(secret("A", "a", false), secret("B", "b", true), secret("C", "old", false), secret("C", "new", false), secret("LOST", "lost", false), secret("GONE", "a", false),
				events.BuildSecretRemoved{Namespace: id(acme), Repository: id(app), Name: "acme/app", Secret: "GONE"})
			r := rule("base")
			r.Secrets = c.names
			w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Tags: r.Tags,
				FromFile: c.fromFile, Untrusted: c.foreign})
			w.start()
			if c.reason != "" {
				if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildFailed || b.End.Reason != c.reason || !strings.Contains(b.End.Detail, c.part) || len(w.driver.specs()) != 0 || b.Epoch != 0 {
					t.Errorf("it ended as %+v", b)
				}
				return
			}
			w.await(20, builds.Pushed)
			var got []string
			for name, value := range w.driver.specs()[0].Secrets {
				got = append(got, name+"="+string(value))
			}
			if slices.Sort(got); strings.Join(got, " ") != c.got {
				t.Errorf("it got %q", got)
			}
		})
	}
}
