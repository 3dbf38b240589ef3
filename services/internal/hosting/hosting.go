// Package hosting is what the hub and its hosts say to each other: what a host is to run,
// and what it observes. The hub says the whole of it each time, never a change, so that
// nothing has to be replayed to a host that was away.
package hosting

import (
	"context"
	"time"

	"hubledger/services/internal/compose"
)

// Colours of an environment. What is stateful has none.
const (
	Blue  = "blue"
	Green = "green"
)

// A State is the whole of what a host is to run.
type State struct {
	// Generation is that of the log, and Epoch the sequence of the latest event that the
	// state follows from. A host stores both before it acts, and refuses what is lower
	// of the same generation.
	Generation string `json:"generation"`
	Epoch      uint64 `json:"epoch"`
	Slots      []Slot `json:"slots,omitempty"`
	Gone       []Gone `json:"gone,omitempty"`
}

// A Slot is one colour of an environment, or its stateful services, on one host.
type Slot struct {
	ID          string `json:"id"`          // id of the environment, then -blue, -green or -base; names the containers
	Application string `json:"application"` // full name, NAMESPACE/NAME
	Environment string `json:"environment"` // its name
	Colour      string `json:"colour,omitempty"`
	Release     int    `json:"release"`
	Deployment  string `json:"deployment"` // id
	// Fence is the sequence of the event that last changed this slot. It is a label of
	// its containers; a slot with a lower one than the host has acted upon is refused.
	Fence uint64 `json:"fence"`
	Phase Phase  `json:"phase"`
	// Services are those that run on this host, as the Compose file of the release has them; Networks and
	// Volumes are theirs.
	Services []SlotService     `json:"services"`
	Networks []compose.Network `json:"networks,omitempty"`
	Volumes  []string          `json:"volumes,omitempty"`
	// Share is the part of the traffic of the environment's web services that goes to this
	// colour, in percent, over all hosts; Live is how many hosts of this colour take traffic. The
	// weight responder answers Share divided by Live, as balancers weigh each server, times Scale: the
	// smaller Live of the two colours, so that small parts are not rounded to nothing; 0 is 1.
	Share int `json:"share"`
	Live  int `json:"live"`
	Scale int `json:"scale,omitempty"`
}

// A SlotService is one service of a slot.
type SlotService struct {
	compose.Service
	// Pull is NAME@DIGEST as an engine pulls it, with the registry.
	Pull string `json:"pull"`
	// Outside: the image is of another registry than the hub's. It is pulled without a token.
	Outside bool `json:"outside,omitempty"`
	// Run is how many containers of it run now on this host; of a worker that is
	// its part of the tasks. With fewer than before the others are stopped with the
	// service's own grace.
	Run int `json:"run"`
	// Values are the variables of its containers, with configuration and secrets: those
	// of Environment, resolved. They are neither logged nor reported. A host masks the values
	// of those that Environment calls secret.
	Values map[string]string `json:"values,omitempty"`
}

// A Phase is how far a slot is to go.
type Phase string

// Phases of a slot. Each has what the one before it did.
const (
	Pull  Phase = "pull"  // the images are on the host, nothing is started
	Run   Phase = "run"   // containers run; Run of each service says how many
	Drain Phase = "drain" // it takes no traffic and no tasks: sessions end, then its containers are stopped
	Keep  Phase = "keep"  // containers are stopped, and kept for going back at once
)

// Gone names a slot that is to be removed, with its containers and networks; volumes
// stay. Only what is named here is removed: a hub that answers nothing wipes no host.
type Gone struct {
	ID    string `json:"id"`
	Fence uint64 `json:"fence"`
}

// An Observation is what a host sees of itself. It is not trusted.
type Observation struct {
	Generation string `json:"generation"`
	Epoch      uint64 `json:"epoch"` // of the state that it acts upon
	Engine     Engine `json:"engine"`
	Slots      []Seen `json:"slots,omitempty"`
}

// Engine is the container engine of a host.
type Engine struct {
	Version string `json:"version,omitempty"`
	API     string `json:"api,omitempty"`
	Error   string `json:"error,omitempty"` // why it does not answer; slots are as they were seen last then
	Free    int64  `json:"free,omitempty"`  // bytes that its disk has left; 0: not known
}

// Seen is a slot as a host sees it.
type Seen struct {
	ID         string          `json:"id"`
	Deployment string          `json:"deployment"`
	Fence      uint64          `json:"fence"`
	Phase      Phase           `json:"phase"` // that was reached
	Images     []SeenImage     `json:"images,omitempty"`
	Containers []SeenContainer `json:"containers,omitempty"`
	// Healthy: all containers that are to run do, and are healthy: a web service answered its
	// probe three times in a row, a worker's health check passed, or it has none and has run for a while.
	Healthy bool `json:"healthy"`
	// Drained: of a slot in Drain or Keep, no session and no container is left running.
	Drained bool `json:"drained"`
	// Sessions are the open ones of the balancer to this colour on this host; -1: not known.
	Sessions int `json:"sessions"`
	// Requests are those that the balancers of this host have sent to this colour since they were
	// started; -1: not known.
	Requests int64 `json:"requests"`
	// Error is why the slot cannot get on now, for people; the host tries again.
	Error string `json:"error,omitempty"`
	// Fatal: trying again cannot help, such as an image that is gone, a port that is taken, or a
	// container that ends each time it is started.
	Fatal bool `json:"fatal,omitempty"`
}

// SeenImage is how far an image is pulled.
type SeenImage struct {
	Service string `json:"service"`
	Digest  string `json:"digest"`
	Pulled  bool   `json:"pulled"`
	Bytes   int64  `json:"bytes,omitempty"` // so far
	Total   int64  `json:"total,omitempty"` // as far as is known
	Error   string `json:"error,omitempty"`
}

// SeenContainer is a container of a slot.
type SeenContainer struct {
	ID       string    `json:"id"`
	Service  string    `json:"service"`
	Index    int       `json:"index"`            // of the service on this host, from 0
	State    string    `json:"state"`            // as the engine calls it: created, running, exited …
	Health   string    `json:"health,omitempty"` // healthy, unhealthy or starting; "": it has no check
	Started  time.Time `json:"started,omitzero"`
	ExitCode int       `json:"exitCode,omitempty"` // of the end before, when it was started again
	Restarts int       `json:"restarts,omitempty"`
	// Log is the end of what a container that failed wrote, and HealthLog what its check
	// said last: at most 4 KiB each, with values of secrets masked.
	Log       string `json:"log,omitempty"`
	HealthLog string `json:"healthLog,omitempty"`
}

// A Planner says what hosts are to run, and hears what they see. The deployer is one.
type Planner interface {
	// Desired is the state of a host, by the id of the machine.
	Desired(ctx context.Context, host string) (State, error)
	// Changed is closed when the state of a host may have changed.
	Changed(host string) <-chan struct{}
	// Observed takes what a host sees. An error means that it was not taken.
	Observed(ctx context.Context, host string, o Observation) error
	// Pulls says whether a host may pull from a repository now: an image of one of
	// its slots is there.
	Pulls(ctx context.Context, host, repository string) (bool, error)
}
