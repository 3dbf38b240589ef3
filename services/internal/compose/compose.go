// Package compose judges the Compose file of an application, from memory and by an
// allow-list, and turns it into a plain value that a host can act on. A file is data of
// somebody whom nobody trusts: nothing is read from a disk or from the environment of
// the process for it, and what is not listed is refused.
package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Bounds of a Compose file.
const (
	MaxBytes    = 128 << 10 // of the text
	MaxServices = 50
	maxDepth    = 20      // of its values
	maxValues   = 10_000  // with what aliases and merge keys repeat
	maxText     = 8 << 10 // bytes of one value
	maxFilled   = 1 << 20 // bytes that variables may put into all values
	maxReplicas = 100
	maxPorts    = 100 // of a service
	maxNested   = 10  // variables within defaults of others
	maxProblems = 100
)

// Roles of a service.
const (
	Web      = "web"      // answers HTTP, in a blue and a green container
	Worker   = "worker"   // takes tasks from a queue, in blue and green containers
	Stateful = "stateful" // is there once, and is no part of blue and green
)

// An App is what a Compose file says, in one form whatever way it was written.
type App struct {
	Services []Service `json:"services"` // by name
	Networks []Network `json:"networks,omitempty"`
	Volumes  []string  `json:"volumes,omitempty"` // names
}

// A Service is one of an App. Lists are sorted where their order means nothing.
type Service struct {
	Name        string            `json:"name"`
	Role        Role              `json:"role"`
	Image       string            `json:"image"`
	Command     []string          `json:"command,omitempty"`
	Entrypoint  []string          `json:"entrypoint,omitempty"`
	Environment []Variable        `json:"environment,omitempty"`
	Ports       []Port            `json:"ports,omitempty"`
	Volumes     []Mount           `json:"volumes,omitempty"`
	Networks    []Attachment      `json:"networks,omitempty"` // none: the application's own
	Health      *Health           `json:"health,omitempty"`   // nil: that of the image
	Replicas    int               `json:"replicas"`
	StopGrace   string            `json:"stopGrace,omitempty"` // such as 10s; "" for the engine's
	StopSignal  string            `json:"stopSignal,omitempty"`
	Restart     string            `json:"restart,omitempty"`
	User        string            `json:"user,omitempty"`
	WorkingDir  string            `json:"workingDir,omitempty"`
	ReadOnly    bool              `json:"readOnly,omitempty"`
	Init        bool              `json:"init,omitempty"`
	DependsOn   []string          `json:"dependsOn,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Memory      int64             `json:"memory,omitempty"` // bytes; 0: no limit
	CPUs        float64           `json:"cpus,omitempty"`   // 0: no limit
	PIDs        int64             `json:"pids,omitempty"`   // 0: no limit
	Privileged  bool              `json:"privileged,omitempty"`
	CapAdd      []string          `json:"capAdd,omitempty"`
}

// A Role says what blue and green mean for a service: x-hubledger of it.
type Role struct {
	Kind   string   `json:"kind"`             // Web, Worker or Stateful
	Port   int      `json:"port,omitempty"`   // of a web service: that its container listens on
	Blue   int      `json:"blue,omitempty"`   // of a web service: port of the host
	Green  int      `json:"green,omitempty"`  // of a web service: port of the host
	Probe  string   `json:"probe,omitempty"`  // of a web service: path that answers 200 when it is healthy
	Host   string   `json:"host,omitempty"`   // of a web service: header Host of the probe
	Once   bool     `json:"once,omitempty"`   // of a worker: blue and green never run at the same time
	Shared []string `json:"shared,omitempty"` // volumes that blue and green both write
}

// Coloured says whether a service has a blue and a green side.
func (r Role) Coloured() bool { return r.Kind == Web || r.Kind == Worker }

// A Variable is one of a container's environment.
type Variable struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Secret bool   `json:"secret,omitempty"` // its value is that of the environment's secret of that name
}

// A Port is published on the host.
type Port struct {
	Container int    `json:"container"`
	Host      int    `json:"host"`
	IP        string `json:"ip,omitempty"`
	Protocol  string `json:"protocol"` // tcp or udp
}

// A Mount is a volume of the application, a tmpfs or, where the operator allows it, a
// directory of the host.
type Mount struct {
	Kind     string `json:"kind"`             // volume, tmpfs or bind
	Source   string `json:"source,omitempty"` // name of the volume, or path on the host
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly,omitempty"`
	Size     int64  `json:"size,omitempty"` // of a tmpfs, in bytes
}

// A Network is one of the application's own.
type Network struct {
	Name     string `json:"name"`
	Internal bool   `json:"internal,omitempty"` // without a way out
}

// An Attachment connects a service to a network.
type Attachment struct {
	Network string   `json:"network"`
	Aliases []string `json:"aliases,omitempty"`
}

// Health is how an engine finds out whether a container is healthy. Times are such as
// 10s; "" for the engine's own.
type Health struct {
	Off         bool     `json:"off,omitempty"`
	Test        []string `json:"test,omitempty"`
	Interval    string   `json:"interval,omitempty"`
	Timeout     string   `json:"timeout,omitempty"`
	StartPeriod string   `json:"startPeriod,omitempty"`
	Retries     uint64   `json:"retries,omitempty"`
}

// Hash identifies what an App says: two files with the same hash have the same effect.
func (a *App) Hash() string {
	text, err := json.Marshal(a)
	if err != nil {
		panic(fmt.Errorf("an App is texts and numbers: %w", err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// A Problem is a reason why a file is refused.
type Problem struct {
	Path string `json:"path" doc:"The field, such as services.web.privileged; absent for the whole file"`
	Line int    `json:"line,omitempty" doc:"Line of the file; absent where it is not known"`
	Text string `json:"text" doc:"What is wrong, why, and what to write"`
	// Filled says that the variables were put in before it was found: Text may quote the
	// values of the configuration.
	Filled bool `json:"-"`
}

func (p Problem) Error() string {
	switch {
	case p.Path == "":
		return p.Text
	case p.Line == 0:
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s (line %d): %s", p.Path, p.Line, p.Text)
}
