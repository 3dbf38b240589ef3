package sealedlog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hubledger/services/builder/sealedlog"
)

// sealed is a file of these chunks.
func sealed(t testing.TB, chunks []sealedlog.Chunk) []byte {
	t.Helper()
	var file bytes.Buffer
	w := sealedlog.NewWriter(&file)
	var size int64
	for _, c := range chunks {
		if err := w.Write(c); err != nil {
			t.Fatal(err)
		}
		size += int64(len(c.Data))
	}
	if err := w.Close(); err != nil || w.Bytes() != size {
		t.Fatalf("%d bytes of %d, %v", w.Bytes(), size, err)
	}
	return file.Bytes()
}

// What was written is read from any place, in pieces of any size.
func TestReadFromAnywhere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 2, 700} {
		var chunks []sealedlog.Chunk
		for k, seq := 0, uint64(0); k < n; k++ {
			seq += 1 + random.Uint64N(9)
			data := []byte(strings.Repeat(fmt.Sprintf("line %d\n\"\\\x1b[0m", k), 1+random.IntN(400)))
			if k%5 == 0 {
				data = []byte{0xff, 0, '\n', 0xfe}
			}
			if k == 300 {
				data = bytes.Repeat([]byte{1}, 256<<10) // each byte is six in the file
			}
			chunks = append(chunks, sealedlog.Chunk{Seq: seq, Time: at.Add(time.Duration(k)), Step: k % 4, Data: data})
		}
		file := sealed(t, chunks)
		if !bytes.Equal(file, sealed(t, chunks)) {
			t.Error("one log gives two files")
		}
		for k := -1; k < n; k += 1 + random.IntN(20) {
			after := uint64(0)
			if k >= 0 {
				after = chunks[k].Seq
			}
			if k >= 0 && k+1 < n { // also from between two chunks
				after += random.Uint64N(chunks[k+1].Seq - chunks[k].Seq)
			}
			list, err := sealedlog.Read(bytes.NewReader(file), after, 100_000)
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for j, c := range list {
				want := chunks[k+1+j]
				if size >= 100_000 || c.Seq != want.Seq || c.Step != want.Step || !c.Time.Equal(want.Time) || !bytes.Equal(c.Data, want.Data) {
					t.Fatalf("behind %d chunk %d is %d of step %d with %d bytes", after, j, c.Seq, c.Step, len(c.Data))
				}
				size += len(c.Data)
			}
			if size < 100_000 && k+1+len(list) != n {
				t.Fatalf("behind %d there are %d chunks with %d bytes", after, len(list), size)
			}
		}
	}
}

// A file that was damaged gives an error and no chunk that was not written.
func TestDamagedFile(t *testing.T) {
	file := sealed(t, []sealedlog.Chunk{{Seq: 1, Data: []byte(strings.Repeat("a line\n", 1000))}, {Seq: 2, Data: []byte("the end\n")}})
	for _, bad := range [][]byte{nil, file[:len(file)/2], file[1:], append([]byte("x"), file...)} {
		if list, err := sealedlog.Read(bytes.NewReader(bad), 0, 1<<20); err == nil {
			t.Errorf("%d of %d bytes are read as %d chunks", len(bad), len(file), len(list))
		}
	}
}

func BenchmarkReadTheEnd(b *testing.B) {
	var chunks []sealedlog.Chunk
	for k := range 1000 {
		chunks = append(chunks, sealedlog.Chunk{Seq: uint64(k + 1), Data: []byte(strings.Repeat(fmt.Sprintf("line %d of a build\n", k), 64<<10/18))})
	}
	file := sealed(b, chunks)
	for b.Loop() {
		if list, err := sealedlog.Read(bytes.NewReader(file), 990, 1<<20); err != nil || len(list) != 10 {
			b.Fatal(len(list), err)
		}
	}
}
