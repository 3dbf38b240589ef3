package queue

// A Candidate is a waiting build of a branch, by what a newer commit replaces.
type Candidate struct {
	Build string
	Seq   uint64 // of the event that queued it
	Line  string // repository, rule and branch: of one line only the newest build counts
}

// Superseded lists the waiting builds whose branch has a newer build that waits, with
// that one.
func Superseded(waiting []Candidate) map[string]string {
	newest := map[string]Candidate{}
	for _, c := range waiting {
		if c.Seq > newest[c.Line].Seq {
			newest[c.Line] = c
		}
	}
	old := map[string]string{}
	for _, c := range waiting {
		if n := newest[c.Line]; n.Build != c.Build {
			old[c.Build] = n.Build
		}
	}
	return old
}
