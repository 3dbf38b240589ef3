package apitypes

import "time"

// A System is how the node that answers stands, and how it is set up.
type System struct {
	Ready       bool               `json:"ready" doc:"It can be pushed to"`
	ReadOnly    string             `json:"readOnly,omitempty" doc:"Why nothing can be changed; absent when it can"`
	Problems    []SystemProblem    `json:"problems" nullable:"false" doc:"What is not as it should be"`
	Services    []string           `json:"services" nullable:"false" doc:"Those that this node runs"`
	Log         SystemLog          `json:"log"`
	Blobs       SystemBlobs        `json:"blobs"`
	Projections []SystemProjection `json:"projections" nullable:"false" doc:"Read models that this node keeps"`
	Managers    []SystemManager    `json:"managers" nullable:"false" doc:"Process managers of this node's services"`
	DeadLetters []SystemDeadLetter `json:"deadLetters" nullable:"false" doc:"Tasks that failed too often and wait for somebody; the first hundred"`
	Settings    []SystemSetting    `json:"settings" nullable:"false" doc:"What serve was started with, and what follows for what was left out; without secrets"`
}

// A SystemProblem is something that is not as it should be.
type SystemProblem struct {
	What   string `json:"what" doc:"In a word or two"`
	Detail string `json:"detail" doc:"In a sentence"`
	Advice string `json:"advice" doc:"What to do"`
	Blocks bool   `json:"blocks" doc:"Nothing can be pushed until then"`
}

// A SystemLog is the log, in numbers.
type SystemLog struct {
	Events     uint64 `json:"events" doc:"Sequence of its last event"`
	Bytes      uint64 `json:"bytes" doc:"Of its files"`
	Generation string `json:"generation" doc:"Id of the log; a restored one is a new generation"`
}

// SystemBlobs are the blob store, in numbers.
type SystemBlobs struct {
	Count int64 `json:"count" doc:"How many there are"`
	Bytes int64 `json:"bytes" doc:"What they come to"`
	Left  int64 `json:"left" doc:"Bytes that may be written before the disk's reserve is reached"`
}

// A SystemProjection is a read model, and its builds.
type SystemProjection struct {
	Name     string        `json:"name" doc:"What it is called"`
	Version  int           `json:"version" doc:"Of its tables and of how it applies events"`
	Position uint64        `json:"position" doc:"Sequence of the last event that it has committed"`
	Lag      uint64        `json:"lag" doc:"Events of the log that it has not committed"`
	Parked   int           `json:"parked" doc:"Events that it could not apply"`
	Builds   []SystemBuild `json:"builds" nullable:"false" doc:"All that are stored, this version's and others'"`
}

// A SystemBuild is one build of a read model: a file or a schema.
type SystemBuild struct {
	Version  int    `json:"version" doc:"Of the projection"`
	Build    string `json:"build" doc:"live, prepared or previous"`
	Position uint64 `json:"position" doc:"Sequence of the last event that it has committed"`
	Bytes    int64  `json:"bytes" doc:"Of its files; 0 when not known"`
}

// A SystemManager is what a process manager is at.
type SystemManager struct {
	Name      string `json:"name" doc:"What it is called"`
	Leading   bool   `json:"leading" doc:"This node runs it"`
	Due       int    `json:"due" doc:"Tasks, as of its last look; known where it is led"`
	Dead      int    `json:"dead" doc:"Dead letters"`
	LastError string `json:"lastError,omitempty" doc:"The latest thing that went wrong since the start"`
}

// A SystemDeadLetter is a task that failed too often.
type SystemDeadLetter struct {
	Manager  string    `json:"manager" doc:"Whose task it is"`
	Task     string    `json:"task" doc:"Its key"`
	Cause    string    `json:"cause,omitempty" doc:"Id of the event that made it due"`
	Attempts int       `json:"attempts" doc:"How often it failed"`
	Since    time.Time `json:"since" doc:"When it failed first"`
	Error    string    `json:"error" doc:"Of the last attempt"`
}

// A SystemSetting is an option of serve.
type SystemSetting struct {
	Name  string `json:"name" doc:"Such as --undelete-window"`
	Value string `json:"value" doc:"As it is in effect"`
}

// RetryRequest names a dead letter.
type RetryRequest struct {
	Task string `json:"task" minLength:"1" maxLength:"500" doc:"Its key"`
}

// A SystemComparison says in what two builds of a read model differ.
type SystemComparison struct {
	Position    uint64             `json:"position" doc:"Sequence of the last event that both had applied"`
	Answers     int                `json:"answers" doc:"Of the live build, that were compared"`
	Differences []SystemDifference `json:"differences" nullable:"false" doc:"The first 20 of each query; empty when the builds agree"`
}

// A SystemDifference is one answer that two builds do not share.
type SystemDifference struct {
	Query string `json:"query" doc:"Name of the query"`
	Key   string `json:"key" doc:"What it was asked for"`
	Live  string `json:"live" doc:"What the live build says; empty for nothing"`
	Next  string `json:"next" doc:"What the prepared one says; empty for nothing"`
}

// SwitchRequest says which build of a read model becomes the live one.
type SwitchRequest struct {
	Back bool `json:"back,omitempty" doc:"The one that was live before; absent: the one that was prepared"`
}
