package projections

import (
	"bufio"
	"encoding/binary"
	"os"
)

// A pageWriter appends pages to a database file.
type pageWriter struct {
	file *os.File
	out  *bufio.Writer
	size int    // of a page
	next uint32 // number of the page that comes next, from 1
}

// pendingByte is where SQLite keeps its locks: the page with it holds nothing.
const pendingByte = 1 << 30

func newPageWriter(file *os.File) (*pageWriter, error) {
	var head [100]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	w := &pageWriter{file: file, size: int(binary.BigEndian.Uint16(head[16:])), next: binary.BigEndian.Uint32(head[28:]) + 1}
	if _, err := file.Seek(int64(w.next-1)*int64(w.size), 0); err != nil {
		return nil, err
	}
	w.out = bufio.NewWriterSize(file, 1<<20)
	return w, nil
}

// append writes a page behind the last and returns its number.
func (w *pageWriter) append(page []byte) (uint32, error) {
	if w.peek() != w.next {
		w.next++
		if _, err := w.out.Write(make([]byte, w.size)); err != nil {
			return 0, err
		}
	}
	w.next++
	_, err := w.out.Write(page)
	return w.next - 1, err
}

// peek is the number that the next page will get, and after that of the one
// behind it.
func (w *pageWriter) peek() uint32  { return w.usable(w.next) }
func (w *pageWriter) after() uint32 { return w.usable(w.peek() + 1) }

func (w *pageWriter) usable(number uint32) uint32 {
	if int64(number-1)*int64(w.size) == pendingByte {
		number++
	}
	return number
}

// replace writes a page that is there already.
func (w *pageWriter) replace(number uint32, page []byte) error {
	_, err := w.file.WriteAt(page, int64(number-1)*int64(w.size))
	return err
}

// finish writes what is left and the new number of pages into the header.
func (w *pageWriter) finish() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	var count [4]byte
	binary.BigEndian.PutUint32(count[:], w.next-1)
	_, err := w.file.WriteAt(count[:], 28)
	return err
}
