package openapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hubledger/services/internal/endpoint"
)

// A Resume is what a client of server-sent events sends when it comes back.
type Resume struct {
	LastEventID uint64 `header:"Last-Event-ID" maximum:"9007199254740991" doc:"Id of the last event that the client has: go on behind it"`
}

// An answer of events ends after maxStream: clients come back by themselves. Each
// rightsEvery it is looked whether the caller may still have it. A line that says nothing
// is sent each aliveEvery, so that nobody between takes the connection for a dead one.
const (
	maxStream   = 5 * time.Minute
	rightsEvery = 5 * time.Second
	aliveEvery  = 15 * time.Second
)

// Events sends server-sent events to one client (HTML Living Standard, section 9.2).
type Events struct {
	w       huma.Context
	control *http.ResponseController
	last    time.Time // when something was sent
}

// Send sends an event, of any kind. id resumes behind it; 0: the event has none.
func (e *Events) Send(id uint64, kind string, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, encoded)
	if id > 0 {
		text = append(fmt.Appendf(nil, "id: %d\n", id), text...)
	}
	return e.write(text)
}

// At says how far the sender has come, when nothing was sent for a while: a client that
// comes back resumes there.
func (e *Events) At(id uint64) error {
	if time.Since(e.last) < aliveEvery {
		return nil
	}
	return e.write(fmt.Appendf(nil, "id: %d\n\n", id))
}

// Alive is to be called now and then while there is nothing to send.
func (e *Events) Alive() error {
	if time.Since(e.last) < aliveEvery {
		return nil
	}
	return e.write([]byte(":\n\n"))
}

func (e *Events) write(text []byte) error {
	e.last = time.Now()
	if _, err := e.w.BodyWriter().Write(text); err != nil {
		return err
	}
	return e.control.Flush()
}

// AddEvents adds an operation that answers with server-sent events. run says how they
// are sent; its own error is answered as a problem. The ctx of the sender ends when the
// client leaves, when the hub stops, when the caller's credential or permission is gone and
// after a few minutes; its error is only logged.
func AddEvents[I any](a *API, op Operation, run func(ctx context.Context, c *endpoint.Call, in *I) (send func(ctx context.Context, e *Events) error, err error)) {
	add(a, op, map[string]*huma.Response{"200": {
		Description: "Server-sent events",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}, func(ctx context.Context, c *endpoint.Call, in *I) (*huma.StreamResponse, error) {
		send, err := run(ctx, c, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(w huma.Context) {
			ctx, cancel := context.WithTimeout(w.Context(), maxStream)
			defer cancel()
			defer context.AfterFunc(a.Leaving, cancel)()
			go func() {
				for every := time.NewTicker(rightsEvery); ; {
					select {
					case <-ctx.Done():
						every.Stop()
						return
					case <-every.C:
						if a.Still(ctx, c, op.Permission) != nil {
							cancel()
						}
					}
				}
			}()
			w.SetHeader("Content-Type", "text/event-stream")
			w.SetHeader("X-Accel-Buffering", "no") // nginx would keep the events back
			e := &Events{w: w, control: http.NewResponseController(w.BodyWriter().(http.ResponseWriter))}
			err := e.write([]byte("retry: 1000\n\n"))
			if err == nil {
				err = send(ctx, e)
			}
			if err != nil && ctx.Err() == nil {
				a.Logger.Warn("an answer of events has ended early", "operation", op.ID, "error", err)
			}
		}}, nil
	})
}

// AddText adds an operation that answers with a text of any length, in UTF-8. run says how
// it is written; its own error is answered as a problem, one of the writer breaks the
// answer off.
func AddText[I any](a *API, mediaType string, op Operation, run func(ctx context.Context, c *endpoint.Call, in *I) (write func(ctx context.Context, to http.ResponseWriter) error, err error)) {
	add(a, op, map[string]*huma.Response{"200": {
		Description: "The text",
		Content:     map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}, func(ctx context.Context, c *endpoint.Call, in *I) (*huma.StreamResponse, error) {
		write, err := run(ctx, c, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(w huma.Context) {
			w.SetHeader("Content-Type", mediaType+"; charset=utf-8")
			if err := write(w.Context(), w.BodyWriter().(http.ResponseWriter)); err != nil {
				if w.Context().Err() == nil {
					a.Logger.Warn("an answer is broken off", "operation", op.ID, "error", err)
				}
				panic(http.ErrAbortHandler) // the client sees that it has not all
			}
		}}, nil
	})
}
