package openapi

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Bounds of a refusal: how many errors it lists, and the bytes of a text in it,
// which may repeat names that the client has sent.
const (
	maxErrors    = 20
	maxErrorText = 300
)

// boundErrors bounds what a refusal says, and removes the values that the client
// sent: they may be passwords, and people copy errors into tickets.
func boundErrors(_ huma.Context, _ string, body any) (any, error) {
	e, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	e.Type, e.Detail = "about:blank", shortened(e.Detail)
	if more := len(e.Errors) - maxErrors; more > 0 {
		e.Errors = append(e.Errors[:maxErrors:maxErrors], &huma.ErrorDetail{Message: fmt.Sprintf("and %d more", more)})
	}
	for _, detail := range e.Errors {
		detail.Value, detail.Location, detail.Message = nil, shortened(detail.Location), shortened(detail.Message)
	}
	return e, nil
}

// shortened is a text of at most about maxErrorText bytes.
func shortened(s string) string {
	if len(s) <= maxErrorText {
		return s
	}
	return strings.ToValidUTF8(s[:maxErrorText], "") + "…"
}
