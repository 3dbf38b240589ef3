package apitypes

import "time"

// An AppContainer is a container of an environment, as its host has reported it.
type AppContainer struct {
	ID       string     `json:"id" doc:"Id, in twelve digits as docker ps has it"`
	Name     string     `json:"name" doc:"Name, as docker ps has it"`
	Host     string     `json:"host" doc:"Name of the host"`
	Service  string     `json:"service" doc:"Name of the service"`
	Colour   string     `json:"colour,omitempty" doc:"blue or green; absent for a stateful service"`
	Release  int        `json:"release" doc:"Number of the release"`
	Index    int        `json:"index" doc:"Number of the container among those of the service on this host, from 0"`
	State    string     `json:"state" doc:"As the engine calls it: created, running, exited"`
	Health   string     `json:"health,omitempty" doc:"healthy, unhealthy or starting; absent: it has no check"`
	Started  *time.Time `json:"started,omitempty" doc:"When it was started last"`
	ExitCode int        `json:"exitCode,omitempty" doc:"Of the end before, when it was started again"`
	Restarts int        `json:"restarts,omitempty" doc:"How often the engine has started it again"`
}

// A ContainerLog is a piece of what a container wrote.
type ContainerLog struct {
	Lines   []ContainerLine `json:"lines" nullable:"false" doc:"In the order in which they came"`
	Next    string          `json:"next,omitempty" doc:"Ask with it as after for those behind; absent when there is no line yet"`
	Cut     bool            `json:"cut,omitempty" doc:"Lines before these, or behind the ones that were asked for, are left out"`
	Running bool            `json:"running" doc:"The container runs: there may be more"`
}

// A ContainerLine is a line of it, with secrets masked.
type ContainerLine struct {
	Time   time.Time `json:"time" doc:"When, by the clock of the host"`
	Stream string    `json:"stream" enum:"stdout,stderr" doc:"Where it was written to"`
	Text   string    `json:"text" doc:"Without its line end"`
	Cut    bool      `json:"cut,omitempty" doc:"It is longer than 4 KiB"`
}

// A ContainerDetails is how a container was made and how it is. Values of its environment are
// never told.
type ContainerDetails struct {
	ID          string           `json:"id" doc:"Id, in twelve digits"`
	Name        string           `json:"name" doc:"Name"`
	Image       string           `json:"image" doc:"NAME@DIGEST that it was made of"`
	State       string           `json:"state" doc:"As the engine calls it"`
	Error       string           `json:"error,omitempty" doc:"Why it could not be started"`
	Health      string           `json:"health,omitempty" doc:"healthy, unhealthy or starting"`
	Checks      []ContainerCheck `json:"checks,omitempty" doc:"The last runs of its health check, the latest last"`
	Created     *time.Time       `json:"created,omitempty" doc:"When it was made"`
	Started     *time.Time       `json:"started,omitempty" doc:"When it was started last"`
	Finished    *time.Time       `json:"finished,omitempty" doc:"When it has ended last"`
	ExitCode    int              `json:"exitCode" doc:"Of its last end"`
	Restarts    int              `json:"restarts" doc:"How often the engine has started it again"`
	OutOfMemory bool             `json:"outOfMemory,omitempty" doc:"The kernel ended it because it ran out of memory"`
	Entrypoint  []string         `json:"entrypoint,omitempty" doc:"What is started"`
	Command     []string         `json:"command,omitempty" doc:"Its arguments"`
	User        string           `json:"user,omitempty" doc:"As whom; absent: root"`
	Directory   string           `json:"directory,omitempty" doc:"Where it is started"`
	Variables   []string         `json:"variables,omitempty" doc:"Names of its environment; values are not told"`
	Ports       []string         `json:"ports,omitempty" doc:"Such as 127.0.0.1:18080 -> 8080/tcp"`
	Networks    []string         `json:"networks,omitempty" doc:"With its address in each"`
	Mounts      []string         `json:"mounts,omitempty" doc:"Volumes and directories"`
	Memory      int64            `json:"memory,omitempty" doc:"Bytes that it may have; absent: no limit"`
	CPUs        float64          `json:"cpus,omitempty" doc:"Processors that it may have; absent: no limit"`
	PIDs        int64            `json:"pids,omitempty" doc:"Processes that it may have; absent: no limit"`
	ReadOnly    bool             `json:"readOnly,omitempty" doc:"Its own files cannot be changed"`
	Restart     string           `json:"restart,omitempty" doc:"When the engine starts it again"`
	StopSignal  string           `json:"stopSignal,omitempty" doc:"By which it is stopped; absent: SIGTERM"`
	StopGrace   int              `json:"stopGrace,omitempty" doc:"Seconds until it is killed then; absent: 10"`
}

// A ContainerCheck is one run of a health check.
type ContainerCheck struct {
	Time     time.Time `json:"time" doc:"When it ended"`
	ExitCode int       `json:"exitCode" doc:"0 is healthy"`
	Output   string    `json:"output,omitempty" doc:"What it wrote"`
}

// A ContainerProcesses is what runs in a container.
type ContainerProcesses struct {
	Titles []string   `json:"titles" nullable:"false" doc:"Of the columns, as ps has them"`
	Rows   [][]string `json:"rows" nullable:"false" doc:"A row for each process"`
	Cut    bool       `json:"cut,omitempty" doc:"There are more"`
}
