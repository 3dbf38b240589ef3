package listen

import (
	"net/url"
	"strings"
	"testing"
)

func TestPlainWarning(t *testing.T) {
	https, http := &url.URL{Scheme: "https", Host: "hub"}, &url.URL{Scheme: "http", Host: "hub"}
	for _, c := range []struct {
		listen string
		secure bool
		public *url.URL
		warns  bool
	}{
		{"127.0.0.1:5050", false, nil, false}, {"[::1]:5050", false, nil, false}, {"localhost:5050", false, http, false},
		{"0.0.0.0:5050", true, nil, false}, {"0.0.0.0:5050", false, https, false},
		{"0.0.0.0:5050", false, nil, true}, {":5050", false, http, true}, {"192.0.2.1:5050", false, nil, true}, {"hub:5050", false, nil, true},
	} {
		got := plainWarning(c.listen, c.secure, c.public)
		if (got != "") != c.warns || c.warns && !strings.Contains(got, "server gave HTTP response to HTTPS client") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
