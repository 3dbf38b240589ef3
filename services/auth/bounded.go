package auth

import "sync"

// A bounded is a map of at most max entries. When it is full, random entries are
// dropped: a client cannot choose whose.
type bounded[K comparable, V any] struct {
	mu      sync.Mutex
	max     int
	entries map[K]V
}

func newBounded[K comparable, V any](max int) *bounded[K, V] {
	return &bounded[K, V]{max: max, entries: map[K]V{}}
}

func (b *bounded[K, V]) get(k K) (V, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.entries[k]
	return v, ok
}

func (b *bounded[K, V]) put(k K, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.entries[k]; !ok {
		shrink(b.entries, b.max)
	}
	b.entries[k] = v
}

func (b *bounded[K, V]) drop(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, k)
}

// shrink makes room for one more among max.
func shrink[K comparable, V any](m map[K]V, max int) {
	for k := range m {
		if len(m) < max {
			return
		}
		delete(m, k)
	}
}
