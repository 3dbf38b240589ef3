package caged

import "time"

// A status is one line of buildctl --progress=rawjson: what has changed since the
// line before (BuildKit's client.SolveStatus).
type status struct {
	Vertexes []vertex
	Statuses []struct{ Vertex string }
	Logs     []struct {
		Vertex    string
		Stream    int
		Data      []byte
		Timestamp time.Time
	}
	Warnings []struct {
		Vertex     string
		Short      []byte
		Detail     [][]byte
		SourceInfo *struct{ Filename string }
		Range      []struct{ Start struct{ Line int } }
	}
}

// A vertex is a step. It comes again whenever something of it has changed.
type vertex struct {
	Digest    string
	Name      string
	Started   *time.Time
	Completed *time.Time
	Cached    bool
	Error     string
}
