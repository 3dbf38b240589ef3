package projections

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPagesAreSound fills tables of many shapes page by page and lets SQLite
// check every page and find every row.
func TestPagesAreSound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	blob := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(256))
		}
		return b
	}
	byID := &Table{Name: "by_id", Key: 1, Columns: []Column{{"id", Int}, {"n", Int}, {"data", Bytes}}}
	byBytes := &Table{Name: "by_bytes", Key: 1, Columns: []Column{{"k", Bytes}, {"n", Int}, {"data", Text}}}
	onlyKey := &Table{Name: "only_key", Key: 2, Columns: []Column{{"k", Bytes}, {"t", Text}}}
	wide := &Table{Name: "wide", Key: 1, Columns: []Column{{"k", Text}}}
	for i := range 150 {
		wide.Columns = append(wide.Columns, Column{fmt.Sprint("c", i), Int})
	}
	ints := []int64{0, 1, -1, 127, -128, 128, 32767, 32768, -32769, 1<<23 - 1, 1 << 23, -1 << 23, 1<<31 - 1, 1 << 31, 1<<47 - 1, 1 << 47, -1 << 47, math.MaxInt64, math.MinInt64}
	number := func() Value { return IntValue(ints[rng.IntN(len(ints))]) }
	sizes := map[string]func() int{
		"small": func() int { return rng.IntN(30) },
		"fat":   func() int { return rng.IntN(1500) },
		"edge":  func() int { return 900 + rng.IntN(200) },
		"huge":  func() int { return rng.IntN(3) * rng.IntN(30_000) },
		"none":  func() int { return 0 },
	}
	for name, size := range sizes {
		for _, rows := range []int{0, 1, 2, 3, 17, 100, 5000} {
			if rows == 5000 && name == "huge" {
				rows = 700
			}
			p := &Projection{Name: "pages", Version: 1, Apply: nothing, Tables: []*Table{byID, byBytes, onlyKey, wide}}
			m, err := compile(p)
			if err != nil {
				t.Fatal(err)
			}
			s := newSorter(m, 1<<20)
			for i := range rows {
				var ops Ops
				id := int64(i)
				if i%3 == 0 {
					id = rng.Int64() - rng.Int64()
				}
				ops.Write(byID, IntValue(id), number(), BytesValue(blob(size())))
				key := fmt.Appendf(nil, "%06d", i)
				ops.Write(byBytes, BytesValue(append(key, blob(min(size(), 2000))...)), number(), TextValue(strings.Repeat("ä", size()/2)))
				ops.Write(onlyKey, BytesValue(append(key, blob(min(size(), 1200))...)), TextValue(strings.Repeat("x", min(size(), 1200))))
				cells := []Value{TextValue(string(key))}
				for range 150 {
					cells = append(cells, number())
				}
				ops.Write(wide, cells...)
				s.add(uint64(i), &ops)
			}
			s.sort()
			path := filepath.Join(t.TempDir(), "pages.db")
			load(t, m, path, &run{memory: s})
			examine(t, m, path, rows, fmt.Sprintf("%s, %d rows", name, rows))
		}
	}
}

func load(t *testing.T, m *model, path string, r *run) {
	t.Helper()
	l, err := newSQLiteLoader(m, path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.abort()
	for i := range m.tables {
		rows := streamRows(t.Context(), &m.tables[i], i, []*run{r}, 4096, func(uint64) {})
		if err := l.table(t.Context(), i, rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.finish(t.Context(), m.header("g"), nil); err != nil {
		t.Fatal(err)
	}
}

func examine(t *testing.T, m *model, path string, rows int, what string) {
	t.Helper()
	db := sql.OpenDB(sqliteDSN(path, "mode=rw"))
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("%s: integrity check: %s, %v", what, verdict, err)
	}
	for _, table := range m.tables {
		var count, found int
		key := table.Columns[0].Name
		query := fmt.Sprintf("SELECT count(*), (SELECT count(*) FROM %[1]s a JOIN %[1]s b ON a.%[2]s = b.%[2]s) FROM %[1]s", table.Name, key)
		if err := db.QueryRow(query).Scan(&count, &found); err != nil || count != rows || found != rows {
			t.Fatalf("%s: table %s has %d rows, %d are found by key, %v", what, table.Name, count, found, err)
		}
	}
	// And it can be written as any other.
	if _, err := db.Exec("DELETE FROM by_bytes WHERE n < 0; DELETE FROM by_id WHERE n > 0"); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("%s: integrity check after a change: %s, %v", what, verdict, err)
	}
}

// TestPagesSkipTheLockPage: no page may lie where SQLite locks the file.
func TestPagesSkipTheLockPage(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const page = 4096
	lock := uint32(pendingByte/page + 1)
	header := make([]byte, 100)
	header[16] = page >> 8
	header[28], header[29], header[30], header[31] = byte((lock-2)>>24), byte((lock-2)>>16&0xff), byte((lock-2)>>8&0xff), byte((lock-2)&0xff)
	if _, err := file.WriteAt(header, 0); err != nil {
		t.Fatal(err)
	}
	w, err := newPageWriter(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []uint32{lock - 1, lock + 1, lock + 2} {
		peek, after := w.peek(), w.after()
		got, err := w.append(make([]byte, page))
		if err != nil || got != want || peek != want || after == lock || after <= peek {
			t.Fatalf("page %d, peeked %d and %d behind it, want %d, %v", got, peek, after, want, err)
		}
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	if info, err := file.Stat(); err != nil || info.Size() != int64(lock+2)*page {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}
