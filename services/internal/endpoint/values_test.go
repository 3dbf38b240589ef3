package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/service"
)

// A body of very many values is refused before anything reads it as JSON.
func TestValuesAreBounded(t *testing.T) {
	s, served := bare(), false
	s.Add(service.Route{Method: "POST", Pattern: "/api/v1/x", Permission: access.Anyone, Cost: budget.Light,
		Serve: func(http.ResponseWriter, *http.Request) { served = true }}, AsProblem)
	for _, c := range []struct {
		what, body string
		refused    bool
	}{
		{"a thousand", `{"topics":[0` + strings.Repeat(",0", maxValues-2) + `]}`, false},
		{"more", `{"topics":[0` + strings.Repeat(",0", maxValues-1) + `]}`, true},
		{"nested arrays", strings.Repeat("[", maxValues+1), true},
		{"members", `{"a":{}` + strings.Repeat(`,"a":0`, maxValues) + `}`, true},
		{"empty objects", strings.Repeat("{} ", maxValues+1), true},
		{"a text with commas", `{"readme":"` + strings.Repeat(`,\",[{`, 10_000) + `"}`, false},
		{"backslashes at a text's end", `{"a":"\\"` + strings.Repeat(`,"a":"\\"`, maxValues) + `}`, true},
	} {
		served = false
		w := ask(t, s, "POST", "/api/v1/x", c.body)
		if want := map[bool]int{false: 200, true: 413}[c.refused]; w.Code != want || served == c.refused {
			t.Errorf("%s: %d, served %v: %s", c.what, w.Code, served, w.Body)
		}
	}
}
