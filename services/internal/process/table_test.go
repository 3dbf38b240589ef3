package process

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestBackoff(t *testing.T) {
	b := Backoff{}.withDefaults()
	for _, row := range []struct {
		attempts int
		random   float64
		want     time.Duration
	}{
		{1, 0, time.Second}, {1, 1, 500 * time.Millisecond}, {2, 0, 2 * time.Second}, {3, 0.5, 3 * time.Second},
		{10, 0, 512 * time.Second}, {11, 0, 15 * time.Minute}, {12, 1, 450 * time.Second}, {1 << 40, 0, 15 * time.Minute},
	} {
		if got := b.pause(row.attempts, row.random); got != row.want {
			t.Errorf("after %d attempts at %v: %v, want %v", row.attempts, row.random, got, row.want)
		}
	}
	if got := (Backoff{First: time.Hour}).withDefaults().pause(5, 0); got != time.Hour {
		t.Errorf("a first pause above the longest one: %v", got)
	}
}

// An error's text is one bounded line, and has nothing that looks like a secret.
func TestErrorText(t *testing.T) {
	for text, want := range map[string]string{
		"plain":          "plain",
		"two\nlines\x00": "two lines ",
		`Get "https://user:planted@host/x": refused`:   `Get "https://…@host/x": refused`,
		`Get "https://planted@host/x": refused`:        `Get "https://…@host/x": refused`,
		"401 for Authorization: Bearer planted.a-b=":   "401 for Authorization: Bearer …",
		"no token hlt_planted_0-9 here":                "no token hlt_… here",
		"https://h/hook?token=planted&n=1":             "https://h/hook?token=…&n=1",
		`{"client_secret": "planted", "name": "n"}`:    `{"client_secret": "…", "name": "n"}`,
		"X-Hub-Signature: sha256=planted is not right": "X-Hub-Signature: … is not right",
		"dial tcp 10.0.0.1:443: connect: refused":      "dial tcp 10.0.0.1:443: connect: refused",
		"\xff\xfe": " ",
	} {
		if got := ErrorText(errors.New(text)); got != want || strings.Contains(got, "planted") {
			t.Errorf("%q is kept as %q, want %q", text, got, want)
		}
	}
	long := ErrorText(errors.New(strings.Repeat("é", 10_000)))
	if len(long) > maxError || !utf8.ValidString(long) || !strings.HasSuffix(long, "…") {
		t.Errorf("a long text is kept with %d bytes", len(long))
	}
}

// The ids never change: events of earlier versions have them.
func TestEventID(t *testing.T) {
	cause := "0199d6a5-3c00-7000-8000-000000000120"
	tasks := []Task{{Key: cause, Cause: cause}, {Key: "a", Cause: cause}, {Key: "b", Cause: cause}, {Key: "a"}}
	seen := map[string]bool{}
	for _, task := range tasks {
		for _, name := range []string{"builder", "deployer"} {
			id := EventID(name, task)
			if seen[id] || len(id) != 36 || id[14] != '5' {
				t.Errorf("%s of %s: %s", task, name, id)
			}
			seen[id] = true
		}
	}
	if got, want := EventID("builder", tasks[0]), "35065bf3-eaf3-5933-af7f-26fd21a6d023"; got != want {
		t.Errorf("the id is %s, and was %s", got, want)
	}
}

func TestManagersAreChecked(t *testing.T) {
	for _, m := range []Manager{{}, {Name: "Builder"}, {Name: "builder"}, {Name: "a b"}} {
		if _, err := New(t.Context(), Config{Store: store(t), Logger: quiet}, m); err == nil {
			t.Errorf("%+v was accepted", m)
		}
	}
}
