package linediff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hubledger/services/deployer/linediff"
)

func TestOf(t *testing.T) {
	long := strings.Repeat("x\n", 10)
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""}, {"a\nb\n", "a\nb\n", ""}, {"", "a\n", "+a"}, {"a\n", "", "-a"},
		{"a\nb\nc\n", "a\nB\nc\n", " a|-b|+B| c"}, {"a\nc\n", "a\nb\nc\n", " a|+b| c"}, {"a\nb\nc\nd\n", "b\nx\nd\n", "-a| b|-c|+x| d"},
		{long + "a\n" + long, long + "b\n" + long, "…| x| x| x|-a|+b| x| x| x|…"},
	} {
		var got []string
		for _, l := range linediff.Of(c.a, c.b) {
			got = append(got, l.Sign+l.Text)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q, %q: %q, want %q", c.a, c.b, strings.Join(got, "|"), c.want)
		}
	}
}

// What is shown leads from one text to the other, also where they are too large to be
// compared line by line.
func TestLeads(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		size := 30
		if n == 0 {
			size = 5000
		}
		text := func() []string {
			var l []string
			for range rng.IntN(size) {
				l = append(l, fmt.Sprint(rng.IntN(6)))
			}
			return l
		}
		a, b := text(), text()
		if n == 0 {
			for len(a) < 4000 {
				a = append(a, "a")
			}
			for len(b) < 4000 {
				b = append(b, "b")
			}
		}
		join := func(l []string) string { return strings.Join(append(l, ""), "\n") }
		for _, l := range linediff.Of(join(a), join(b)) {
			if l.Sign != "+" && l.Sign != "…" && a[l.A-1] != l.Text || l.Sign != "-" && l.Sign != "…" && b[l.B-1] != l.Text {
				t.Fatalf("%q and %q: %+v", a, b, l)
			}
			if l.Sign == "-" {
				a[l.A-1] = "\x00"
			}
			if l.Sign == "+" {
				b[l.B-1] = "\x00"
			}
		}
		drop := func(l []string) string { return strings.ReplaceAll(join(l), "\x00\n", "") }
		if drop(a) != drop(b) {
			t.Fatalf("without what differs they are %q and %q", drop(a), drop(b))
		}
	}
}
