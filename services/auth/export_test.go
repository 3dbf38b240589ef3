package auth

// HashCheaply makes passwords quick to check, for tests of what is around it.
func (s *Auth) HashCheaply() *Auth {
	s.hasher = newHasher(params{memory: 64, time: 1, threads: 1})
	return s
}
