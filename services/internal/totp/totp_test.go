package totp_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/totp"
)

// The last six digits of the test vectors of RFC 6238, appendix B, for SHA-1.
func TestCodesOfTheRFC(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totp.Code(key, totp.Step(time.Unix(at, 0))); got != want {
			t.Errorf("at %d the code is %s, not %s", at, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	if err != nil || len(raw) != totp.KeySize || key == totp.NewKey() {
		t.Fatalf("%s is %x: %v", key, raw, err)
	}
	again, err := totp.ParseKey(strings.ToLower(key[:4] + " " + key[4:]))
	if err != nil || string(again) != string(raw) {
		t.Errorf("as people type it, it is %x: %v", again, err)
	}
	for _, bad := range []string{"", key[:31], key + "AA", key[:31] + "1", key + "\n", key[:31] + "="} {
		if _, err := totp.ParseKey(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestURI(t *testing.T) {
	u, err := url.Parse(totp.URI("my hub:5050", "alice", "ABC"))
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/my hub 5050:alice" || u.Query().Get("secret") != "ABC" || u.Query().Get("issuer") != "my hub 5050" || strings.Contains(u.String(), "+") {
		t.Errorf("%v: %v", u, err)
	}
}
