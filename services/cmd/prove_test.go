package cmd

import (
	"testing"

	"hubledger/services/internal/apitypes"
)

// The filter finds an event by all that its manifest names; a proof of a push is of the
// image that was pushed.
func TestAPushIsProvedOfItsImageOnly(t *testing.T) {
	pushed := apitypes.Event{Parts: []apitypes.EventPart{{Text: "pushed "}, {Kind: "tag", Name: "acme/app:1"}, {Kind: "image", Name: "acme/app@sha256:ab12cd34ef567890"}}}
	for digest, want := range map[string]bool{
		"sha256:ab12cd34ef567890": true,
		"sha256:AB12CD34EF56":     true,
		"ab12cd34ef56":            true,
		"sha256:0012cd34ef56":     false, // such as a layer
		"sha256:":                 false,
	} {
		if got := pushes(pushed, digest); got != want {
			t.Errorf("%s: %t, want %t", digest, got, want)
		}
	}
	if pushes(apitypes.Event{Parts: []apitypes.EventPart{{Text: "pushed an image"}}}, "ab12cd34ef56") {
		t.Error("an event without an image counts as the push of one")
	}
}
