package caged

import "time"

// A Status is one line of what the program of a cage writes: what has changed since
// the line before. It is what buildctl writes with --progress=rawjson (BuildKit's
// client.SolveStatus).
type Status struct {
	Vertexes []Vertex  `json:",omitempty"`
	Logs     []Logged  `json:",omitempty"`
	Warnings []warning `json:",omitempty"`
}

// A Vertex is a step. It comes again whenever something of it has changed.
type Vertex struct {
	Digest    string // names the step
	Name      string
	Started   *time.Time `json:",omitempty"`
	Completed *time.Time `json:",omitempty"`
	Cached    bool       `json:",omitempty"`
	Error     string     `json:",omitempty"`
}

// Logged is what a step has written.
type Logged struct {
	Vertex    string // its digest
	Stream    int
	Data      []byte
	Timestamp time.Time
}

type warning struct {
	Vertex string
	Short  []byte
	Range  []struct{ Start struct{ Line int } }
}
