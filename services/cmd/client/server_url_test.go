package client

import (
	"strings"
	"testing"
)

func TestServerURL(t *testing.T) {
	for in, want := range map[string]string{
		"hub.example.com":             "https://hub.example.com",
		"HUB.example.com:8443/":       "https://hub.example.com:8443",
		"localhost:5050":              "http://localhost:5050",
		"127.0.0.1":                   "http://127.0.0.1",
		"[::1]:5050":                  "http://[::1]:5050",
		"https://hub.example.com:443": "https://hub.example.com",
		"http://hub.example.com:80/":  "http://hub.example.com",
		"https://[2001:db8::1]:443":   "https://[2001:db8::1]",
		"http://hub.example.com:443":  "http://hub.example.com:443",
		"https://localhost:5050":      "https://localhost:5050",
	} {
		if got, err := ServerURL(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "https://", "ftp://hub", "https://me:secret@hub", "https://hub/path", "https://hub?q", "ht!tp://x", "https://hub:port", "a b"} {
		if got, err := ServerURL(in); err == nil {
			t.Errorf("%q: %q", in, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats the password: %v", in, err)
		}
	}
}
