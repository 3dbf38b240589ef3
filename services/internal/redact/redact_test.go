package redact

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// inPieces masks a text that comes in pieces of these lengths, again and again.
func inPieces(s *Set, text string, lengths ...int) string {
	m, out := s.Stream(), ""
	for k := 0; len(text) > 0; k++ {
		n := min(max(lengths[k%len(lengths)], 1), len(text))
		out += string(m.Next([]byte(text[:n])))
		text = text[n:]
	}
	return out + string(m.End())
}

func TestForms(t *testing.T) {
	const secret = "pl/nted+s3cr?t ü&1"
	const long = "first line of the key\nsecond line of the key\r\nshort\nlast line\n"
	s := New([]byte(secret), []byte(long), []byte("abc"), nil, []byte("\n\n\n\n\n"))
	encode := func(before, after string) string {
		return base64.StdEncoding.EncodeToString([]byte(before + secret + after))
	}
	for text, want := range map[string]string{
		"nothing":                      "nothing",
		"abc":                          "abc",
		"x " + secret + " y " + secret: "x *** y ***",
		secret + secret:                "******",
		strings.TrimSpace(long):        "***",
		"> second line of the key <":   "> *** <",
		"https://h/?t=" + url.QueryEscape(secret) + "&x": "https://h/?t=***&x",
		"https://h/" + url.PathEscape(secret) + "/x":     "https://h/***/x",
		strings.ToLower(url.QueryEscape(secret)):         "***",
		"pl%2Fnted%2Bs3cr%3Ft%20%C3%BC%261":              "***",
		"short\n":                                        "short\n",
		secret[:len(secret)-1]:                           secret[:len(secret)-1],
	} {
		for _, lengths := range [][]int{{1 << 20}, {1}, {2}, {3, 1}, {7, 2, 5}} {
			if got := inPieces(s, text, lengths...); got != want {
				t.Errorf("%q in pieces of %v is %q, want %q", text, lengths, got, want)
			}
		}
		if got := s.String(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for before := range 6 {
		for after := range 4 {
			text := encode(strings.Repeat("u", before), strings.Repeat("v", after))
			for _, text := range []string{text, strings.NewReplacer("+", "-", "/", "_").Replace(text), wrap(text, 7), wrap(text, 19)} {
				got := inPieces(s, text, 3, 1)
				// What is left is of the text around, and up to a character of each side that
				// both decide.
				if left := strings.NewReplacer("***", "", "\n", "", "\r", "").Replace(got); len(left) > 4*((before+after)/3+2)+3 || !strings.Contains(got, Mask) {
					t.Errorf("%q is %q", text, got)
				}
			}
		}
	}
}

func wrap(text string, n int) (out string) {
	for len(text) > n {
		out += text[:n] + "\r\n"
		text = text[n:]
	}
	return out + text
}

// A text of which nothing is secret passes as it comes, at the end of a line at the latest.
func TestNothingIsHeldBack(t *testing.T) {
	s := New([]byte("planted"))
	m := s.Stream()
	for in, want := range map[string]string{"a line\n": "a line\n", "no end": "no end"} {
		if got := string(m.Next([]byte(in))); got != want {
			t.Errorf("%q is let out as %q", in, got)
		}
	}
	if got := string(m.Next([]byte("x pla"))) + "|" + string(m.Next([]byte("ne\n"))) + "|" + string(m.End()); got != "x |plane\n|" {
		t.Error(got)
	}
	if got := string((&Set{}).Stream().Next([]byte("x"))); got != "x" {
		t.Error(got)
	}
	// Line ends within base64 are not waited for without end.
	m = s.Stream()
	m.Next([]byte("cGxh"))
	if out := m.Next(bytes.Repeat([]byte("\n"), 1<<16)); len(out) < 1<<16 {
		t.Errorf("%d bytes of 65536 are let out", len(out))
	}
}

// However it is cut, a stream has no secret, and without masks it is what it was.
func FuzzMasker(f *testing.F) {
	f.Add([]byte("some secret"), []byte("before some secretsome secret after c29tZSBzZWNyZXQ"), uint64(1))
	f.Add([]byte("aaaaaa"), []byte("aaaaaaaaaaaaaaaaaaaaab"), uint64(2))
	f.Add([]byte("ab\ncdefghij\n"), []byte("ab\ncdefghijab\ncdefghi"), uint64(3))
	f.Add(bytes.Repeat([]byte("0123456789abcde\n"), 100), bytes.Repeat([]byte("0123456789abcde\n"), 201), uint64(4))
	f.Fuzz(func(t *testing.T, secret, text []byte, seed uint64) {
		if len(secret) > 1<<14 || len(text) > 1<<16 {
			return
		}
		s := New(secret)
		random := rand.New(rand.NewPCG(seed, 0))
		whole := s.String(string(text))
		cut := inPieces(s, string(text), random.IntN(9)+1, random.IntN(9)+1, random.IntN(9)+1)
		if whole != cut {
			t.Errorf("whole it is %q, in pieces %q", whole, cut)
		}
		value := bytes.TrimRight(secret, "\r\n")
		if len(value) >= MinSecret && !strings.Contains(Mask, string(value[:1])) && strings.Contains(whole, string(value)) {
			t.Errorf("%q is in %q", value, whole)
		}
		if !strings.Contains(whole, Mask) && whole != string(text) {
			t.Errorf("nothing is masked, and %q became %q", text, whole)
		}
		planted := string(text) + base64.StdEncoding.EncodeToString(append(text[:min(len(text), int(seed%3))], value...))
		if len(value) >= 2*MinSecret && !strings.Contains(s.String(planted), Mask) {
			t.Errorf("base64 of %q is not masked", value)
		}
	})
}

// Ordinary log, with five secrets, one of which is a large file.
func BenchmarkMasker(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var log bytes.Buffer
	for log.Len() < 1<<20 {
		fmt.Fprintf(&log, "#%d %0.3f [%d/900] Compiling object %x of library-%d with -O2 -Wall\n", random.IntN(20), random.Float64(), random.IntN(900), random.Uint64(), random.IntN(50))
	}
	key := make([]byte, 3000)
	for k := range key {
		key[k] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.IntN(64)]
	}
	s := New([]byte("hunter2hunter2"), []byte("ghp_0123456789abcdefghijABCDEFGHIJ"), []byte("Compiling objects"), []byte(wrap(string(key), 64)), []byte("another-token-0123"))
	text := log.Bytes()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m := s.Stream()
		for rest := text; len(rest) > 0; {
			n := min(len(rest), 4000)
			m.Next(rest[:n])
			rest = rest[n:]
		}
		m.End()
	}
}
