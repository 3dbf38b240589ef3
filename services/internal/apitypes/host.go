package apitypes

import "time"

// A Host is a machine on which applications run.
type Host struct {
	Name        string     `json:"name" doc:"What it is called"`
	State       string     `json:"state" enum:"invited,away,connected" doc:"invited: it has not used its token yet; away: it is not connected, and its containers go on"`
	Namespaces  []string   `json:"namespaces,omitempty" doc:"Names of those whose applications it may run; absent: of all"`
	Engine      string     `json:"engine,omitempty" doc:"Version of its container engine"`
	EngineError string     `json:"engineError,omitempty" doc:"Why its container engine does not answer"`
	Free        int64      `json:"free,omitempty" doc:"Bytes that the engine's disk has left"`
	Slots       int        `json:"slots" doc:"How many colours and stateful parts of environments it has"`
	Seen        *time.Time `json:"seen,omitempty" doc:"When it reported last; absent if it has not since this node has started"`
	Since       time.Time  `json:"since" doc:"When it was invited, or enrolled"`
	Expires     *time.Time `json:"expires,omitempty" doc:"When its token can no longer be used"`
}

// An InviteHostRequest asks for the one-time token of a host.
type InviteHostRequest struct {
	Name       string   `json:"name" minLength:"1" maxLength:"63" example:"web1" doc:"Lower-case letters, digits and hyphens"`
	Namespaces []string `json:"namespaces,omitempty" maxItems:"100" doc:"Names of users and organizations whose applications it may run; absent: of all"`
	Seconds    int      `json:"seconds,omitempty" minimum:"60" maximum:"604800" doc:"How long the token can be used; absent: an hour"`
}

// An InvitedHost is a host that was just invited.
type InvitedHost struct {
	Name    string    `json:"name" doc:"What it is called"`
	Token   string    `json:"token" doc:"The one-time token, shown this once"`
	Expires time.Time `json:"expires" doc:"When it can no longer be used"`
	Hub     string    `json:"hub" doc:"URL of the hub, for hubledger agent --hub"`
	Seq     uint64    `json:"seq" doc:"Sequence of the change in the log"`
}

// A RunningImage is an image of a repository that runs in an environment.
type RunningImage struct {
	Application string `json:"application" doc:"Full name of the application"`
	Environment string `json:"environment" doc:"Name of the environment"`
	Colour      string `json:"colour,omitempty" doc:"blue or green; absent for a stateful service"`
	Release     int    `json:"release" doc:"Number of the release"`
	Share       int    `json:"share" doc:"Percent of the traffic that its colour has"`
	Service     string `json:"service" doc:"Name of the service"`
	Tag         string `json:"tag,omitempty" doc:"Tag that named it when the release was made"`
	Digest      string `json:"digest" doc:"Digest of the manifest"`
	Hosts       int    `json:"hosts" doc:"On how many hosts"`
}

// HostContainers are what a host has, as it said last.
type HostContainers struct {
	Name  string     `json:"name" doc:"Name of the host"`
	State string     `json:"state" enum:"away,connected" doc:"away: nothing was heard of it for a while"`
	Seen  *time.Time `json:"seen,omitempty" doc:"When it said so; absent if it has not since this node has started"`
	Slots []HostSlot `json:"slots" nullable:"false" doc:"What it was told to have"`
}

// A HostSlot is a colour of an environment on a host, or its stateful services.
type HostSlot struct {
	Application string `json:"application" doc:"Full name of the application"`
	Environment string `json:"environment" doc:"Name of the environment"`
	DeploymentSide
	Containers []HostContainer `json:"containers" nullable:"false" doc:"As the host sees them"`
}

// A HostContainer is a container as a host sees it.
type HostContainer struct {
	Service  string     `json:"service" doc:"Name of the service"`
	Index    int        `json:"index" doc:"Number of the container among those of the service on this host, from 0"`
	State    string     `json:"state" doc:"As the engine calls it: created, running, exited"`
	Health   string     `json:"health,omitempty" doc:"healthy, unhealthy or starting; absent: it has no check"`
	Started  *time.Time `json:"started,omitempty" doc:"When it was started last"`
	ExitCode int        `json:"exitCode,omitempty" doc:"Of the end before, when it was started again"`
	Restarts int        `json:"restarts,omitempty" doc:"How often the engine has started it again"`
}
