package leases

import "slices"

// How decisions see the mirror, and what writes do to it.

func (m *mirror) leaving(ds []packed) (marked []packed, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.marked(ds), nil
}

func (m *mirror) marked(ds []packed) (marked []packed) {
	for _, d := range ds {
		if f := m.byDigest[d]; f != nil && f.since != 0 {
			marked = append(marked, d)
		}
	}
	return marked
}

func (m *mirror) claim(d packed, now int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.at(d)
	if f.lastHeld(now) > now {
		return false, nil
	}
	if f.since == 0 {
		f.since = now
	}
	return true, nil
}

func (m *mirror) lease(repo string, d packed) (until int64, ok bool, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if f := m.byDigest[d]; f != nil {
		if i, ok := f.find(repo); ok {
			return f.leases[i].until, true, nil
		}
	}
	return 0, false, nil
}

// holder is the first repository whose lease on a blob lives at that time.
func (m *mirror) holder(d packed, now int64) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if f := m.byDigest[d]; f != nil {
		for _, l := range f.leases {
			if l.until > now && !isReading(l.repo) {
				return l.repo
			}
		}
	}
	return ""
}

// extend gives or lengthens a lease.
func (m *mirror) extend(repo string, d packed, until int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.at(d)
	i, ok := f.find(repo)
	if !ok {
		f.leases = slices.Insert(f.leases, i, lease{repo, until})
		return
	}
	f.leases[i].until = max(f.leases[i].until, until)
}

// end ends a lease now, if it has not ended before.
func (m *mirror) end(repo string, d packed, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.byDigest[d]; f != nil {
		if i, ok := f.find(repo); ok {
			f.leases[i].until = min(f.leases[i].until, now)
		}
	}
}

// endAll ends every lease of a repository.
func (m *mirror) endAll(repo string, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.byDigest {
		if i, ok := f.find(repo); ok {
			f.leases[i].until = min(f.leases[i].until, now)
		}
	}
}

func (m *mirror) clear(d packed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.byDigest[d]; f != nil {
		f.since = 0
		m.tidy(d, f)
	}
}

// expire forgets leases and pins that ended before.
func (m *mirror) expire(before int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d, f := range m.byDigest {
		f.leases = slices.DeleteFunc(f.leases, func(l lease) bool { return l.until < before })
		f.pins = slices.DeleteFunc(f.pins, func(p pin) bool {
			if p.until < before {
				delete(m.pins, p.id) // the pin's other digests end with it
			}
			return p.until < before
		})
		m.tidy(d, f)
	}
}
