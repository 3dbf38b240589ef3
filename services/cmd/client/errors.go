package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// An Error is a refusal: the problem (RFC 9457) that the hub has sent.
type Error struct {
	Status int    `json:"-"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
	// Advice follows the text: what to type.
	Advice string `json:"-"`
}

func (e *Error) Error() string {
	text := strings.TrimSpace(e.Detail)
	for i, one := range e.Errors {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		where := strings.TrimPrefix(one.Location, "body.")
		if where != "" {
			where += ": "
		}
		text += sep + where + one.Message
	}
	if text == "" {
		text = fmt.Sprintf("the hub answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return text + e.Advice
}

// refused makes an error of an answer that is none of success.
func (c *Client) refused(resp *http.Response, body []byte) error {
	e := &Error{Status: resp.StatusCode}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind == "application/problem+json" || kind == "application/json" {
		json.Unmarshal(body, e) // what cannot be read has no detail
	} else if text, _, _ := strings.Cut(string(body), "\n"); kind == "text/plain" && len(text) < 500 {
		e.Detail = text // such as "starting: …"
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && c.socket == "":
		e.Advice = fmt.Sprintf(" (`hubledger login %s` logs in)", c.base)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Detail = fmt.Sprintf("%s sends to %q; log in there if that is the hub", c.base, resp.Header.Get("Location"))
	case e.Detail == "" && resp.StatusCode == http.StatusNotFound:
		e.Detail = c.base + " is no hub, or one of an older version"
	}
	return e
}
