package secondfactor

// Len is how many accounts are kept.
func (t *Tries) Len() int { return len(t.accounts) }
