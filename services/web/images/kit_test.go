package images_test

import (
	"strings"
	"testing"

	"hubledger/services/web/webtest"
)

// ordered fails the test unless a page has these texts in this order.
func ordered(t *testing.T, a *webtest.Answer, texts ...string) {
	t.Helper()
	rest := a.Text
	for _, text := range texts {
		k := strings.Index(rest, text)
		if k < 0 {
			t.Errorf("the page does not have %s where it is wanted", text)
			return
		}
		rest = rest[k:]
	}
}
