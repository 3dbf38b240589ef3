package auth

// HashCheaply makes passwords quick to check, for tests of what is around it.
func (s *Auth) HashCheaply() *Auth {
	s.hasher = newHasher(params{memory: 64, time: 1, threads: 1})
	return s
}

// CrowdOut has strangers in every place and in every place to wait, and
// forgets which passwords were proved.
func (s *Auth) CrowdOut() {
	q := s.hasher.queue
	for range cap(q.shared) {
		q.shared <- struct{}{}
	}
	q.strangers.n = maxWaiting
	s.verified = newVerified()
}
