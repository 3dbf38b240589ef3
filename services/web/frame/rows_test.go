package frame

import (
	"net/http/httptest"
	"testing"

	"hubledger/services/internal/endpoint"
)

// A page shows at most a hundred rows of a list, from any place on, and says where the next one begins.
func TestRows(t *testing.T) {
	list := make([]int, 250)
	for k := range list {
		list[k] = k
	}
	for query, want := range map[string]struct {
		first, rows int
		next        string
	}{
		"": {0, 100, "100"}, "from=100": {100, 100, "200"}, "from=150": {150, 100, ""}, "from=200": {200, 50, ""}, "from=-5": {0, 100, "100"}, "from=x": {0, 100, "100"},
		"from=250": {0, 0, ""}, "from=99999999999999999999": {0, 0, ""},
	} {
		v := &Visit{Call: &endpoint.Call{Request: httptest.NewRequest("GET", "/hosts?"+query, nil)}}
		rows, next := Rows(v, list)
		if len(rows) != want.rows || next != want.next || len(rows) > 0 && rows[0] != want.first {
			t.Errorf("%q: %d rows, next %q", query, len(rows), next)
		}
	}
	if rows, next := Rows(&Visit{Call: &endpoint.Call{Request: httptest.NewRequest("GET", "/hosts", nil)}}, []int(nil)); len(rows) != 0 || next != "" {
		t.Errorf("of nothing: %v, %q", rows, next)
	}
}
