package caged

import (
	"cmp"
	"sync"
)

// A Tail keeps the end of what is written to it.
type Tail struct {
	most int // bytes; maxText when 0
	mu   sync.Mutex
	text []byte
}

// Write takes more of it.
func (t *Tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, most := len(data), cmp.Or(t.most, maxText)
	if len(data) > most {
		data = data[len(data)-most:]
	}
	t.text = append(t.text, data...)
	if over := len(t.text) - most; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return n, nil
}

// String is the end.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
