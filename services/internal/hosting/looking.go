package hosting

import (
	"context"
	"errors"
	"time"

	"hubledger/services/internal/redact"
)

// What a host can be asked to look at.
const (
	LookLogs    = "logs"
	LookInspect = "inspect"
	LookTop     = "top"
)

// Bounds of what a host says of a container.
const (
	MaxLines     = 2000      // of a log, at once
	MaxLine      = 4 << 10   // bytes of one, and of every other text
	MaxSight     = 256 << 10 // bytes of all lines
	MaxProcesses = 500
	MaxWait      = 10 * time.Second // for the next lines of a log
)

// A Look is a question about a container of a host, as it is now.
type Look struct {
	ID        string `json:"id"` // of the question: a host answers by it
	Kind      string `json:"kind"`
	Slot      string `json:"slot"`      // id of the slot that the container has to be of
	Container string `json:"container"` // its id, as the host has reported it
	// Of logs: the last Lines of them, or those behind After, nanoseconds since 1970, for the first of
	// which the host waits up to Wait.
	Lines int           `json:"lines,omitempty"`
	After int64         `json:"after,omitempty"`
	Wait  time.Duration `json:"wait,omitempty"`
}

// A Sight is what a host has found. It is not trusted.
type Sight struct {
	Error   string     `json:"error,omitempty"` // why there is nothing else, for people
	Running bool       `json:"running"`         // the container runs
	Lines   []LogLine  `json:"lines,omitempty"`
	Cut     bool       `json:"cut,omitempty"` // there were lines between, or before, that are left out
	Inspect *Inspected `json:"inspect,omitempty"`
	Top     *Processes `json:"top,omitempty"`
}

// A LogLine is what a container wrote, without secrets.
type LogLine struct {
	At   int64  `json:"at"` // nanoseconds since 1970
	Err  bool   `json:"err,omitempty"`
	Text string `json:"text"`
	Cut  bool   `json:"cut,omitempty"` // it is longer than MaxLine
}

// Inspected is how a container was made and how it is. Of its environment it has the names.
type Inspected struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Image      string        `json:"image"`
	State      string        `json:"state"`
	Error      string        `json:"error,omitempty"`
	Health     string        `json:"health,omitempty"`
	Checks     []HealthCheck `json:"checks,omitempty"` // the latest last
	Created    time.Time     `json:"created,omitzero"`
	Started    time.Time     `json:"started,omitzero"`
	Finished   time.Time     `json:"finished,omitzero"`
	ExitCode   int           `json:"exitCode"`
	Restarts   int           `json:"restarts"`
	OutOfMem   bool          `json:"outOfMemory,omitempty"`
	Entrypoint []string      `json:"entrypoint,omitempty"`
	Command    []string      `json:"command,omitempty"`
	User       string        `json:"user,omitempty"`
	Directory  string        `json:"directory,omitempty"`
	Variables  []string      `json:"variables,omitempty"` // names
	Ports      []string      `json:"ports,omitempty"`     // such as 127.0.0.1:18080 -> 8080/tcp
	Networks   []string      `json:"networks,omitempty"`  // with its address there
	Mounts     []string      `json:"mounts,omitempty"`
	Memory     int64         `json:"memory,omitempty"` // bytes; 0: no limit
	CPUs       float64       `json:"cpus,omitempty"`   // 0: no limit
	PIDs       int64         `json:"pids,omitempty"`   // 0: no limit
	ReadOnly   bool          `json:"readOnly,omitempty"`
	Restart    string        `json:"restart,omitempty"` // policy
	StopSignal string        `json:"stopSignal,omitempty"`
	StopGrace  int           `json:"stopGrace,omitempty"` // seconds; 0: the engine's own
}

// A HealthCheck is one run of a container's check.
type HealthCheck struct {
	At       time.Time `json:"at"`
	ExitCode int       `json:"exitCode"`
	Output   string    `json:"output,omitempty"`
}

// Processes are those of a container, as ps has them on the host.
type Processes struct {
	Titles []string   `json:"titles"`
	Rows   [][]string `json:"rows"`
	Cut    bool       `json:"cut,omitempty"` // there are more
}

var (
	// ErrAway: the host has no connection to this node, or does not answer.
	ErrAway = errors.New("the host does not answer such questions now: it is away, or its agent is older than the hub; its containers go on")
	// ErrLooks: a host is asked about too many containers at once.
	ErrLooks = errors.New("too many people look at containers of this host: try again a little later")
)

// Applications say to whom the containers of hosts belong. The deployer is one.
type Applications interface {
	// Placed are the containers that hosts have reported of an environment. The error wraps
	// application.ErrUnknown where there is none.
	Placed(ctx context.Context, namespace, application, environment string) (Placed, error)
}

// Placed is what is known of an environment's containers.
type Placed struct {
	Owners     bool // only owners of the namespace deploy there
	Containers []PlacedContainer
	// Mask are the secrets of the environment: hosts mask them, too, and are not trusted.
	Mask *redact.Set
}

// A PlacedContainer is one as its host has reported it.
type PlacedContainer struct {
	Machine, Host string // id and name of the host
	Slot          string // id
	Colour        string
	Release       int
	SeenContainer
}
