package eventlog

// Bound gives a Reader smaller bounds: how many events a page looks through, how many of
// them at once, and through how many lists of what a principal may read.
func (r *Reader) Bound(examined, atOnce, scopes int) { r.bounds = bounds{examined, atOnce, scopes} }
