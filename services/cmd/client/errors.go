package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/failure"
)

// An Error is a refusal: the problem (RFC 9457) that the hub sent.
type Error struct {
	Status int    `json:"-"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
	// CodeNeeded says that the password was right, and that the account has a second factor.
	CodeNeeded bool `json:"-"`
	// Advice says what to type. It is appended to the text.
	Advice string `json:"-"`
}

func (e *Error) Error() string {
	text := strings.TrimSpace(e.Detail)
	for i, one := range e.Errors {
		sep := "; "
		switch {
		case text == "": // the registry says nothing before its errors
			sep = ""
		case len(e.Errors) > 1:
			sep = "\n  "
		case i == 0:
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

// refused makes an error of an answer that is not a success.
func (c *Client) refused(resp *http.Response, body []byte) error {
	e := &Error{Status: resp.StatusCode, CodeNeeded: resp.Header.Get(apitypes.CodeHeader) != ""}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind == "application/problem+json" || kind == "application/json" {
		json.Unmarshal(body, e) // a body that cannot be parsed leaves Detail empty
	} else if text, _, _ := strings.Cut(string(body), "\n"); kind == "text/plain" && len(text) < 500 {
		e.Detail = text // such as "starting: …"
	}
	switch {
	case e.Detail == failure.Hidden && resp.Request != nil:
		e.Detail = cmp.Or(hidden(resp.Request.URL.EscapedPath()), e.Detail)
	case resp.StatusCode == http.StatusBadRequest && strings.HasPrefix(c.base, "http:") && strings.Contains(e.Detail, "HTTPS server"):
		// What package net/http answers to plain HTTP where it serves TLS.
		e.Detail = fmt.Sprintf("%s speaks HTTPS only: log in to %s", c.base, "https:"+strings.TrimPrefix(c.base, "http:"))
	case resp.StatusCode == http.StatusUnauthorized && c.socket == "":
		e.Advice = fmt.Sprintf("; type `hubledger login %s`", c.base)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Detail = fmt.Sprintf("%s redirects to %q; log in there if that is your hub", c.base, resp.Header.Get("Location"))
	case e.Detail == "" && resp.StatusCode == http.StatusNotFound:
		e.Detail = c.base + " is not a hub, or one of an older version"
	}
	return e
}
