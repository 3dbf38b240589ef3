package eventlog

import "hubledger/projections/trail"

// Bound gives a Reader smaller bounds: how many events a page looks through, how many of
// them at once, and through how many lists of what a principal may read.
func (r *Reader) Bound(examined, atOnce, scopes int) { r.bounds = bounds{examined, atOnce, scopes} }

// Work is what a page counts for looking through events of these sequences, of a query whose
// conditions have so many lists each.
func Work(seqs []uint64, lists ...int) int {
	var s scan
	for _, n := range lists {
		s.conditions = append(s.conditions, condition{lists: make([]trail.List, n)})
	}
	return s.work(seqs)
}
