package githook

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// payload is the JSON object that a webhook brings: its body or, in a form, the
// field "payload".
func payload(header http.Header, body []byte) (value, error) {
	media, _, err := mime.ParseMediaType(only(header, "Content-Type"))
	switch {
	case len(body) == 0:
		return nil, shapeError("it has no body")
	case err != nil:
		return nil, shapeError("its Content-Type is missing or cannot be read; it is application/json, or application/x-www-form-urlencoded with a field payload")
	case media == "application/json" || strings.HasSuffix(media, "+json"):
	case media == "application/x-www-form-urlencoded":
		if body, err = formPayload(body); err != nil {
			return nil, err
		}
	default:
		return nil, shapeError("its Content-Type is %s; it is application/json, or application/x-www-form-urlencoded with a field payload", cut(media, maxHeader))
	}
	if !json.Valid(body) {
		var nothing struct{}
		err := json.Unmarshal(body, &nothing) // says what is wrong, and where
		return nil, shapeError("its body is no JSON: %v", err)
	}
	body = bytes.TrimSpace(body)
	if body[0] != '{' {
		return nil, shapeError("its body is no JSON object")
	}
	return body, nil
}

// formPayload is the field "payload" of a form. With two of them, one could be
// verified by people and the other one used.
func formPayload(body []byte) ([]byte, error) {
	found := -1
	text := string(body)
	var encoded string
	for part := range strings.SplitSeq(text, "&") {
		name, rest, _ := strings.Cut(part, "=")
		if len(name) > 100 {
			continue
		}
		if plain, err := url.QueryUnescape(name); err == nil && plain == "payload" {
			found++
			encoded = rest
		}
	}
	switch {
	case found < 0:
		return nil, shapeError("its form has no field payload")
	case found > 0:
		return nil, shapeError("its form has the field payload %d times", found+1)
	}
	plain, err := url.QueryUnescape(encoded)
	if err != nil {
		return nil, shapeError("the field payload of its form is not encoded as in a form")
	}
	return []byte(plain), nil
}
