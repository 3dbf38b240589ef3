package adminsocket

import (
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/projections/images"
)

// A Message is one line of an answer: progress, or an item. The last line says
// that the answer is done, or has an error.
type Message struct {
	Progress *Progress       `json:"progress,omitempty"`
	Item     json.RawMessage `json:"item,omitempty"`
	Done     bool            `json:"done,omitempty"`
	Error    string          `json:"error,omitempty"`
}

// Progress says how far long work is; Total is 0 if unknown.
type Progress struct {
	Done, Total int64
	Unit        string
}

// A Status describes the running hub: GET /status.
type Status struct {
	Ready      bool     `json:"ready"`              // it can be pushed to
	ReadOnly   string   `json:"readOnly,omitempty"` // why nothing can be pushed
	Docker     string   `json:"docker,omitempty"`   // host, and port if it needs one, to type in docker commands
	Services   []string `json:"services"`           // that this node runs
	Generation string   `json:"generation"`
	Events     uint64   `json:"events"` // the log's last sequence
	LogBytes   uint64   `json:"logBytes"`
	Blobs      int64    `json:"blobs"`
	BlobBytes  int64    `json:"blobBytes"`
	Left       int64    `json:"left"` // bytes above the disk's reserve
	// Problems are why the hub is not ready, or not as it should be.
	Problems []Problem `json:"problems,omitempty"`
	// Managers are the process managers of this node's services.
	Managers []Manager `json:"managers"`
}

// A Problem is a reason why a hub is not as it should be.
type Problem struct {
	What   string `json:"what"`             // in a word or two, such as "no space"
	Detail string `json:"detail"`           // a sentence
	Advice string `json:"advice"`           // what the operator can do
	Blocks bool   `json:"blocks,omitempty"` // nothing can be pushed
}

// A Manager is what a process manager is at.
type Manager struct {
	Name      string `json:"name"`
	Leading   bool   `json:"leading"`             // this node runs it
	Due       int    `json:"due"`                 // tasks, as of its last look; known where it is led
	Dead      int    `json:"dead"`                // dead letters
	LastError string `json:"lastError,omitempty"` // the latest thing that went wrong since the start
}

// A DeadLetter is a task that failed too often: GET /dead-letters. The answer of
// POST /dead-letters/{manager}/retry has only the manager and the task.
type DeadLetter struct {
	Manager  string    `json:"manager"`
	Task     string    `json:"task"`            // its key
	Cause    string    `json:"cause,omitempty"` // id of the event that made it due
	Attempts int       `json:"attempts,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// A Projection is one read model: GET /projections.
type Projection struct {
	Name     string               `json:"name"`
	Version  int                  `json:"version"`
	Position uint64               `json:"position"`
	Lag      uint64               `json:"lag"` // events of the log that are not committed yet
	Parked   []projections.Parked `json:"parked,omitempty"`
}

// A QueryResult is one result of the named queries on the live build of a
// projection: GET /projections/{name}/answers. The first line has only the position.
type QueryResult struct {
	Position *uint64 `json:"position,omitempty"`
	Query    string  `json:"query,omitempty"`
	Key      string  `json:"key,omitempty"`
	Answer   string  `json:"answer,omitempty"`
}

// A DamagedBlob is a damaged blob that POST /blobs/verify has found.
type DamagedBlob struct {
	Digest  digest.Digest  `json:"digest"`
	Problem string         `json:"problem"`
	Breaks  []images.Image `json:"breaks"` // live images that need it
}
