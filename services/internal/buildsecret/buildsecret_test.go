package buildsecret_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/services/internal/buildsecret"
)

// The hub refuses what no build could read, whatever the command line has checked before.
func TestCheckValue(t *testing.T) {
	for value, good := range map[string]bool{"a": true, "a\nb\n": true, strings.Repeat("x", buildsecret.MaxSize): true, "": false, "a\x00b": false, strings.Repeat("x", buildsecret.MaxSize+1): false} {
		if err := buildsecret.CheckValue(value); (err == nil) != good || err != nil && !errors.Is(err, buildsecret.ErrInvalid) {
			t.Errorf("%.20q: %v", value, err)
		}
	}
}
