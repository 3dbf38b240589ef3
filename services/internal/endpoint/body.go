package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"hubledger/services/internal/budget"
)

// MaxBody bounds what a request may send, in bytes. The largest thing is a
// README of 100,000 bytes, which JSON may write six times as long.
const MaxBody = 1 << 20

// bodyTime is how long a body may take to arrive.
const bodyTime = 15 * time.Second

// readBody reads the whole body of a request, so that no handler waits for a slow
// client, and then removes the connection's read deadline.
func (s *Set) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	size := r.ContentLength
	if size < 0 || size > MaxBody {
		size = MaxBody
	}
	if err := budget.Of(r.Context()).Hold(size); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines; those of the server have.
	control.SetReadDeadline(time.Now().Add(bodyTime))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return Fail(http.StatusRequestEntityTooLarge, "a request has at most 1 MiB")
	case err != nil:
		return Fail(http.StatusBadRequest, "the request's body could not be read to its end").Because(err)
	}
	control.SetReadDeadline(time.Time{})
	if s.Forms {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); len(data) > 0 && (err != nil || media != "application/x-www-form-urlencoded") {
			return Fail(http.StatusUnsupportedMediaType, "a form is sent as application/x-www-form-urlencoded")
		}
	} else if len(data) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return Fail(http.StatusUnsupportedMediaType, "a request's body is application/json, and its Content-Type says so")
	}
	if !s.Forms && moreValues(data, maxValues) {
		return Fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("a request's body has at most %d values", maxValues))
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	r.ContentLength = int64(len(data))
	return nil
}

// isJSON says whether a media type is JSON. A page of another site can make a
// browser send other types with the user's credentials, but JSON only if this
// server allows it (Fetch, "CORS-safelisted request-header").
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// Body is the request's body; it can be read again afterwards.
func Body(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	return data, err
}
