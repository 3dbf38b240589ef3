package processtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/process"
)

// A file in the directory is what is due, and the effect is another one.
func world(do func(l *Life, done string) (*process.Completion, error)) World {
	return World{
		Prepare: func(t testing.TB, l *Life) {
			if err := os.WriteFile(filepath.Join(l.Dir, "due"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		Manager: func(t testing.TB, l *Life) process.Manager {
			return process.Manager{Name: "filer", Source: "/test",
				Due: func(context.Context, time.Time) ([]process.Task, error) {
					if _, err := os.Stat(filepath.Join(l.Dir, "due")); err != nil {
						return nil, nil
					}
					return []process.Task{{Key: "file"}}, nil
				},
				Do: func(context.Context, process.Task) (*process.Completion, error) {
					return do(l, filepath.Join(l.Dir, "done"))
				},
				Done: func(context.Context, process.Task) error {
					return l.Step(func() error { return os.RemoveAll(filepath.Join(l.Dir, "due")) })
				}}
		},
		State: func(t testing.TB, l *Life) string {
			data, _ := os.ReadFile(filepath.Join(l.Dir, "done"))
			return string(data)
		},
	}
}

func star() *process.Completion {
	return &process.Completion{Event: events.StarGiven{Namespace: "n", Repository: "r", User: "u"}}
}

func TestGoodManager(t *testing.T) {
	KillAtEveryStep(t, world(func(l *Life, done string) (*process.Completion, error) {
		return star(), l.Step(func() error { return os.WriteFile(done, []byte("done"), 0o600) })
	}))
}

// A failing is a test that may fail.
type failing struct {
	testing.TB
	said *string
}

func (f failing) Fatalf(format string, args ...any) {
	*f.said = fmt.Sprintf(format, args...)
	panic(f)
}

// The kit finds managers whose end is another one after a kill.
func TestBadManagers(t *testing.T) {
	for name, do := range map[string]func(l *Life, done string) (*process.Completion, error){
		"an event with a new id each time": func(*Life, string) (*process.Completion, error) {
			c := star()
			c.ID = uuid.NewString()
			return c, nil
		},
		"an effect that adds up": func(l *Life, done string) (*process.Completion, error) {
			return star(), l.Step(func() error {
				f, err := os.OpenFile(done, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					return err
				}
				defer f.Close()
				_, err = f.WriteString("done ")
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said string
			func() {
				defer func() {
					if p := recover(); p != nil {
						if _, ok := p.(failing); !ok {
							panic(p)
						}
					}
				}()
				KillAtEveryStep(failing{t, &said}, world(do))
			}()
			if !strings.Contains(said, "and started again, it ends in") {
				t.Errorf("the kit says %q", said)
			}
		})
	}
}
