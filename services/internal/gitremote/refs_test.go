package gitremote

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	idA = "1111111111111111111111111111111111111111"
	idB = "2222222222222222222222222222222222222222"
)

func pkt(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if l == "" {
			b.WriteString("0000")
			continue
		}
		fmt.Fprintf(&b, "%04x%s", len(l)+5, l+"\n")
	}
	return b.String()
}

func TestReadAdvertisement(t *testing.T) {
	const service = "# service=git-upload-pack"
	long := "refs/heads/" + strings.Repeat("x", MaxRefName)
	for _, c := range []struct {
		what, text string
		http       bool
		want       string // refs, as in describe
		err        error
	}{
		{"HTTP", pkt(service, "", idA+" HEAD\x00multi_ack symref=HEAD:refs/heads/main agent=git/2", idA+" refs/heads/main", ""), true, "main=1", nil},
		{"SSH", pkt(idA+" refs/heads/main\x00x", ""), false, "main=1", nil},
		{"an empty repository", pkt(strings.Repeat("0", 40)+" capabilities^{}\x00x", ""), false, "", nil},
		{"nothing at all", pkt(""), false, "", nil},
		{"an annotated tag", pkt(idA+" refs/tags/v1\x00x", idB+" refs/tags/v1^{}", ""), false, "v1=1^2", nil},
		{"peeled without its tag", pkt(idB+" refs/tags/v1^{}\x00x", idA+" refs/tags/v2", idB+" refs/tags/v1^{}", ""), false, "v2=1", nil},
		{"other refs", pkt(idA+" refs/pull/1/head\x00x", idA+" refs/notes/x", idA+" refs/heads/a b", ""), false, "a b=1", nil},
		{"SHA-256", pkt(idA+strings.Repeat("1", 24)+" refs/heads/main\x00x", ""), false, "main=1", nil},
		{"a long name", pkt(idA+" "+long+"\x00x", ""), false, "", nil},
		{"an error", pkt("ERR access denied \x1b[31m", ""), false, "", errAny},
		{"a page", "<!doctype html><title>Sign in</title>", true, "", ErrProtocol},
		{"a page by SSH", "This account is not available", false, "", ErrProtocol},
		{"another service", pkt("# service=git-receive-pack", "", ""), true, "", ErrProtocol},
		{"no end", pkt(idA + " refs/heads/main\x00x"), false, "", ErrProtocol},
		{"cut short", pkt(idA + " refs/heads/main\x00x")[:30], false, "", ErrProtocol},
		{"empty", "", false, "", ErrProtocol},
		{"a length of 3", "0003", false, "", ErrProtocol},
		{"a negative length", "-001", false, "", ErrProtocol},
		{"no id", pkt("xyz refs/heads/main\x00x", ""), false, "", ErrProtocol},
		{"no name", pkt(idA, ""), false, "", ErrProtocol},
		{"upper case", pkt(strings.Repeat("A", 40)+" refs/heads/main", ""), false, "", ErrProtocol},
	} {
		a, err := readAdvertisement(strings.NewReader(c.text), c.http, PullRefs{})
		if c.err == errAny && err == nil || c.err != errAny && !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.what, err)
		}
		if err == nil && describe(a) != c.want {
			t.Errorf("%s: %q, want %q", c.what, describe(a), c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: a control character in %q", c.what, err)
		}
	}
	var many strings.Builder
	for k := range MaxRefs + 1 {
		many.WriteString(pkt(fmt.Sprintf("%s refs/tags/v%d", idA, k)))
	}
	if _, err := readAdvertisement(strings.NewReader(many.String()+"0000"), false, PullRefs{}); !errors.Is(err, ErrTooManyRefs) {
		t.Errorf("too many refs: %v", err)
	}
}

var errAny = errors.New("any")

// describe shows refs by the first digit of their ids.
func describe(a Advertisement) string {
	var list []string
	for _, r := range a.Refs {
		_, name, _ := strings.Cut(strings.TrimPrefix(r.Name, "refs/"), "/")
		text := name + "=" + r.Object[:1]
		if r.Peeled != "" {
			text += "^" + r.Peeled[:1]
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func FuzzReadAdvertisement(f *testing.F) {
	f.Add([]byte(pkt("# service=git-upload-pack", "", idA+" HEAD\x00symref=HEAD:refs/heads/main", idA+" refs/heads/main", "")), true)
	f.Add([]byte(pkt(idA+" refs/tags/v1\x00x", idB+" refs/tags/v1^{}", "")), false)
	f.Fuzz(func(t *testing.T, data []byte, http bool) {
		a, err := readAdvertisement(strings.NewReader(string(data)), http, PullRefsOf("github"))
		if err != nil {
			return
		}
		for _, r := range a.Refs {
			if n := len(r.Commit()); n != 40 && n != 64 || len(r.Name) > MaxRefName || !strings.HasPrefix(r.Name, "refs/") {
				t.Errorf("ref %+v", r)
			}
		}
	})
}
