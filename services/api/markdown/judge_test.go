package markdown

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// long is a text as long as they may be, of one that is repeated.
func long(unit string) string { return strings.Repeat(unit, MaxSource/len(unit)) }

// bombs are texts that took seconds or gigabytes.
var bombs = map[string]string{
	"wide table":             strings.Repeat("|a", 12_400) + "|\n" + strings.Repeat("|-", 12_400) + "|\n" + strings.Repeat("a\n", 25_000),
	"smaller wide table":     strings.Repeat("|a", 1_240) + "|\n" + strings.Repeat("|-", 1_240) + "|\n" + strings.Repeat("a\n", 2_500),
	"table without outer |":  strings.Repeat("a|", 12_400) + "a\n" + strings.Repeat("-|", 12_400) + "-\n" + strings.Repeat("a\n", 25_000),
	"table in a quote":       "> " + strings.Repeat("|a", 9_000) + "|\n> " + strings.Repeat("|-", 9_000) + "|\n" + strings.Repeat("> a\n", 15_000),
	"table in an item":       "- " + strings.Repeat("|a", 9_000) + "|\n  " + strings.Repeat("|-", 9_000) + "|\n" + strings.Repeat("  a\n", 15_000),
	"table after text":       strings.Repeat("a\n", 5_000) + strings.Repeat("|a", 9_000) + "|\n" + strings.Repeat("|-", 9_000) + "|\n" + strings.Repeat("a\n", 20_000),
	"table with - as a rule": strings.Repeat("a | ", 5_000) + "a\n" + strings.Repeat("- | ", 5_000) + "-\n" + strings.Repeat("a\n", 20_000),
	"many wide tables":       strings.Repeat(strings.Repeat("|a", 300)+"|\n"+strings.Repeat("|-", 300)+"|\n"+strings.Repeat("a\n", 600)+"\n", 41),
	"emphasis":               long("*a_ "),
	"links":                  long("[a]("),
	"images":                 long("!["),
	"brackets":               long("["),
	"emphasis both ways":     strings.Repeat("*a ", MaxSource/6) + strings.Repeat("a* ", MaxSource/6),
	"strikes":                long("~~a "),
	"a run":                  long("*"),
	"code":                   long("\\```\n"),
	"comments":               long("<!--"),
	"declarations":           long("<!A "),
	"character data":         long("<![CDATA["),
	"tags":                   long("<a b=\""),
	"quotes":                 long(">"),
	"spaced quotes":          long("> "),
	"quotes of items":        long("> - "),
	"items":                  long("- "),
	"numbered items":         long("1. "),
	"tabbed items":           long("-\t"),
	"footnotes":              strings.Repeat("[^a] ", 10_000) + "\n\n" + strings.Repeat("[^b]: x\n", 6_000),
	"footnotes in footnotes": long("[^a]: "),
	"deep items":             stairs("- ") + strings.Repeat("\n", 50_000),
}

// stairs are lists within lists, each deeper by two columns.
func stairs(mark string) string {
	var b strings.Builder
	for k := 0; b.Len() < MaxSource/2-500; k++ {
		fmt.Fprintf(&b, "%*s%sa\n", 2*k, "", mark)
	}
	return b.String()
}

// heavy is more than any text may make the renderer allocate, all in all.
const heavy = 700 << 20

// allocated is how many bytes a function allocated.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What would bring the parser down is not parsed, but shown as it was written.
func TestBombs(t *testing.T) {
	r := New()
	for name, source := range bombs {
		if len(source) > MaxSource {
			t.Fatalf("%s has %d bytes", name, len(source))
		}
		if judge([]byte(source)) == nil {
			t.Errorf("%s is let through", name)
			continue
		}
		var out string
		var err error
		used := allocated(func() { out, err = r.HTML(t.Context(), "", source, nil) })
		if err != nil || used > 10<<20 {
			t.Errorf("%s: %v, %d bytes allocated", name, err, used)
		}
		if !strings.HasSuffix(out, "</pre>\n") || len(out) > MaxHTML || strings.Count(out, "<") != 4 {
			t.Errorf("%s became %d bytes: %.100q", name, len(out), out)
		}
	}
}

// The same, as long as it may be to be let through, costs little.
func TestJustLetThrough(t *testing.T) {
	r := New()
	for name, source := range bombs {
		few, many := 0, len(source)
		for many-few > 1 {
			if n := (few + many) / 2; judge([]byte(source[:n])) == nil {
				few = n
			} else {
				many = n
			}
		}
		if used := allocated(func() { r.render([]byte(source[:few]), nil) }); used > heavy {
			t.Errorf("the first %d bytes of %s: %d bytes allocated", few, name, used)
		}
	}
}

// What people write is let through.
func TestLetThrough(t *testing.T) {
	row := "| `PERSISTENCE_ENABLED` | Keep it, see [the manual](https://example.com/manual) | `true` |\n"
	for name, source := range map[string]string{
		"prose":        long("Some *words* with a [link](https://example.com), `code`\nand **more** of them.\n\n"),
		"a long list":  long("- [name](https://example.com/name) - what it *does*\n"),
		"a long table": "| Name | What | Default |\n|---|---|---|\n" + strings.Repeat(row, 300),
		"code":         strings.Repeat("```c\n"+strings.Repeat("a[i] = b_c * *d; // <x>\n", 200)+"```\n\n", 15),
		"footnotes":    strings.Repeat("Some words.[^1] And more of them.[^b]\n\n", 200) + "[^1]: One.\n[^b]:\n    Two.\n\n    Three.\n",
		"headings":     long("# Usage\n"),
		"many lists":   long("1. one\n   - two\n     - three\n       > four\n\n"),
	} {
		if err := judge([]byte(source)); err != nil {
			t.Errorf("%s of %d bytes: %v", name, len(source), err)
		}
	}
	wide := strings.Repeat("<a href=\"https://e.org\">x</a>\n", 3_000)
	if out, err := New().HTML(t.Context(), "", wide, nil); err != nil || len(out) > MaxHTML {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

// A text is rendered once for each whose it is, and not kept for ever.
func TestCache(t *testing.T) {
	r := New()
	first, err := r.HTML(t.Context(), "a", "# one", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce { // nothing can be rendered now
		r.slots <- struct{}{}
	}
	if again, err := r.HTML(t.Context(), "a", "# one", nil); err != nil || again != first {
		t.Errorf("%q, %v", again, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, other := range [][2]string{{"b", "# one"}, {"a", "# two"}} {
		if out, err := r.HTML(ctx, other[0], other[1], nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v: %q, %v", other, out, err)
		}
	}
	for range atOnce {
		<-r.slots
	}
	for n := range 2*maxCached/MaxSource + 1 {
		if _, err := r.HTML(t.Context(), "a", fmt.Sprint(n, strings.Repeat(" word", 19_000)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if r.cache.bytes > maxCached || r.cache.bytes < maxCached/2 || len(r.cache.entries) != r.cache.recent.Len() {
		t.Errorf("%d bytes in %d entries, %d in order", r.cache.bytes, len(r.cache.entries), r.cache.recent.Len())
	}
}

// Who has to wait gets their turn.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New()
		r.slots <- struct{}{}
		r.slots <- struct{}{}
		done := make(chan error)
		go func() {
			_, err := r.HTML(context.Background(), "", "text", nil)
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("more than %d at once: %v", atOnce, err)
		default:
		}
		<-r.slots
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func FuzzJudge(f *testing.F) {
	for _, source := range bombs {
		f.Add(source[:200], 400)
	}
	f.Add("|-|-|\n", 1)
	r := New()
	f.Fuzz(func(t *testing.T, unit string, times int) {
		if unit == "" {
			t.Skip()
		}
		source := strings.Repeat(unit, min(max(times, 1), max(1, MaxSource/len(unit))))
		if len(source) > MaxSource {
			t.Skip()
		}
		var out string
		var err error
		if used := allocated(func() { out, err = r.HTML(t.Context(), "", source, nil) }); used > heavy || err != nil || len(out) > MaxHTML {
			t.Errorf("%q ×%d: %d bytes of HTML, %d allocated, %v", unit, times, len(out), used, err)
		}
	})
}
