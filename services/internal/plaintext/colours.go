package plaintext

import (
	"bytes"
	"io"
)

// maxColour bounds a sequence, in bytes: the longest that programs write sets two colours of
// 24 bits and some attributes.
const maxColour = 64

// A ColourWriter writes what programs wrote for a terminal, such as the log of a build, like
// Writer does, but for the sequences that set colours and attributes (ESC [ numbers m, SGR
// in ECMA-48). Those go through with Keep, where a terminal reads, and are left out without.
// Each other sequence is written as Writer writes it. Two calls may split a sequence.
type ColourWriter struct {
	W     io.Writer
	Keep  bool
	held  []byte // the beginning of a sequence
	drawn bool   // a sequence has gone through, and no reset since
}

// Write returns len(p) when all of it was written, or held until the next call.
func (w *ColourWriter) Write(p []byte) (int, error) {
	data := p
	if len(w.held) > 0 {
		data = append(w.held, p...)
	}
	w.held = nil
	var out []byte
	for len(data) > 0 {
		at := bytes.IndexByte(data, 0x1b)
		if at < 0 {
			at = len(data)
		}
		out = append(out, escape(data[:at], true)...)
		data = data[at:]
		n, whole := colour(data)
		switch {
		case len(data) == 0:
		case whole && n == 0: // ESC of something else
			out = append(out, escape(data[:1], true)...)
			data = data[1:]
		case whole:
			if w.Keep {
				out = append(out, data[:n]...)
				w.drawn = !isReset(data[:n])
			}
			data = data[n:]
		default:
			w.held = bytes.Clone(data)
			data = nil
		}
	}
	if _, err := w.W.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is held, and takes colours back that the text has left on. It does not
// close W.
func (w *ColourWriter) Close() error {
	out := escape(w.held, true)
	if w.held = nil; w.drawn {
		out = append(out, "\x1b[0m"...)
	}
	w.drawn = false
	if len(out) == 0 {
		return nil
	}
	_, err := w.W.Write(out)
	return err
}

// colour is the length of the sequence that data begins with, 0 when that is another one.
// It is not whole when more has to be read to know.
func colour(data []byte) (n int, whole bool) {
	for k, b := range data {
		switch {
		case k == maxColour:
			return 0, true
		case k == 0 && b == 0x1b, k == 1 && b == '[', k > 1 && (b >= '0' && b <= ';'): // digits, colons and semicolons
		case k > 1 && b == 'm':
			return k + 1, true
		default:
			return 0, true
		}
	}
	return 0, false
}

func isReset(sequence []byte) bool {
	return bytes.Equal(sequence, []byte("\x1b[m")) || bytes.Equal(sequence, []byte("\x1b[0m"))
}
