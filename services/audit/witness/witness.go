// Package witness asks others to cosign checkpoints of the log (C2SP tlog-witness): a witness
// signs only what follows from all that it has seen before, so that the hub cannot show
// different logs to different people without being found out.
package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
)

var (
	// ErrAhead: the witness has seen more events than were signed here.
	ErrAhead = errors.New("the witness has seen a longer log of this name: another node is ahead, or the log has lost its end")
	// ErrFork: the witness has seen other events.
	ErrFork = errors.New("the witness has seen another log of this name, of which the checkpoint is no continuation")
)

// within bounds a request to a witness, and maxAnswer what it says, in bytes.
const within, maxAnswer = 10 * time.Second, 16 << 10

// A Witness is asked at a URL, and signs with a key.
type Witness struct {
	Key *checkpoint.WitnessKey
	url string // of add-checkpoint

	mu   sync.Mutex
	seen int64 // events that it has seen, as far as it has said
}

// client follows no redirect: a witness is where the operator says.
var client = &http.Client{Timeout: within, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Parse reads a witness as the operator names it: its URL, a space, and its key.
func Parse(text string) (*Witness, error) {
	parts := strings.Fields(text)
	if len(parts) != 2 {
		return nil, fmt.Errorf(`%.300q is not a witness, which is its URL, a space, and its key: "https://witness.example.com witness.example.com/name+1a2b3c4d+BAID…"`, text)
	}
	u, err := url.Parse(parts[0])
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%.300q is not the URL of a witness, which looks like https://witness.example.com", parts[0])
	}
	key, err := checkpoint.ParseWitnessKey(parts[1])
	if err != nil {
		return nil, err
	}
	return &Witness{Key: key, url: u.JoinPath("add-checkpoint").String()}, nil
}

// ParseAll reads several, of which each has a name of its own.
func ParseAll(texts []string) (list []*Witness, err error) {
	names := map[string]bool{}
	for _, text := range texts {
		w, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if names[w.Key.Name()] {
			return nil, fmt.Errorf("the witness %s is named twice", w.Key.Name())
		}
		names[w.Key.Name()] = true
		list = append(list, w)
	}
	return list, nil
}

// Cosign has a signed checkpoint cosigned, and returns the signatures that the witness has
// answered, which nobody has looked at yet. prove is the proof that the checkpoint follows
// from that of so many events. ErrAhead, ErrFork.
func (w *Witness) Cosign(ctx context.Context, signed []byte, c checkpoint.Checkpoint, prove func(old int64) (tlog.TreeProof, error)) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range 3 { // others may have it cosign this log meanwhile
		if w.seen > c.N {
			return nil, fmt.Errorf("%w (%d events, and %d are signed here)", ErrAhead, w.seen, c.N)
		}
		var proof tlog.TreeProof
		if w.seen > 0 && w.seen < c.N {
			var err error
			if proof, err = prove(w.seen); err != nil {
				return nil, err
			}
		}
		answer, size, err := w.ask(ctx, body(w.seen, proof, c.Alone(signed)))
		if err != nil {
			return nil, err
		}
		if answer != nil {
			w.seen = c.N
			return answer, nil
		}
		w.seen = size
	}
	return nil, errors.New("the witness says each time that it has seen another number of events")
}

func body(old int64, proof tlog.TreeProof, signed []byte) []byte {
	b := bytes.NewBuffer(nil)
	fmt.Fprintf(b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintln(b, base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteByte('\n')
	b.Write(signed)
	return b.Bytes()
}

// ask sends a request. Without an answer size is how many events the witness has seen.
func (w *Witness) ask(ctx context.Context, body []byte) (answer []byte, size int64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, 0, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return append([]byte{}, text...), 0, nil
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSuffix(string(text), "\n"), 10, 64)
		if err != nil || size < 0 {
			return nil, 0, fmt.Errorf("the witness answers 409 without the number of events that it has seen: %.100q", text)
		}
		return nil, size, nil
	case http.StatusUnprocessableEntity:
		return nil, 0, ErrFork
	case http.StatusNotFound:
		return nil, 0, errors.New("the witness does not know this log: give its operator the public key that `hubledger checkpoint --key` prints")
	case http.StatusForbidden:
		return nil, 0, errors.New("the witness knows this log by another public key: give its operator the one that `hubledger checkpoint --key` prints")
	}
	return nil, 0, fmt.Errorf("the witness answers %s: %.200q", resp.Status, text)
}
