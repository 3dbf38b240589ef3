package apitypes

import "time"

// A Builder runs builds: the hub's own, or another machine.
type Builder struct {
	Name      string     `json:"name" doc:"What it is called"`
	State     string     `json:"state" enum:"invited,away,connected" doc:"invited: it has not used its token yet; away: nothing is heard of it"`
	Platforms []string   `json:"platforms" doc:"What it can build for, such as linux/amd64; known while it is connected"`
	Places    int        `json:"places" doc:"How many builds it runs at once"`
	Hooks     bool       `json:"hooks" doc:"Whether it runs Docker Hub's hooks and autotests; known while it is connected"`
	Running   int        `json:"running" doc:"How many it has now"`
	Since     *time.Time `json:"since,omitempty" doc:"When it was invited, or enrolled; absent for the hub's own"`
	Expires   *time.Time `json:"expires,omitempty" doc:"When its token can no longer be used"`
}

// An InviteBuilderRequest asks for the one-time token of a builder.
type InviteBuilderRequest struct {
	Name    string `json:"name" minLength:"1" maxLength:"63" example:"big-iron" doc:"Lower-case letters, digits and hyphens"`
	Seconds int    `json:"seconds,omitempty" minimum:"60" maximum:"604800" doc:"How long the token can be used; absent: an hour"`
}

// An InvitedBuilder is a builder that was just invited.
type InvitedBuilder struct {
	Name    string    `json:"name" doc:"What it is called"`
	Token   string    `json:"token" doc:"The one-time token, shown this once"`
	Expires time.Time `json:"expires" doc:"When it can no longer be used"`
	Hub     string    `json:"hub" doc:"URL of the hub, for hubledger builder --hub"`
	Seq     uint64    `json:"seq" doc:"Sequence of the change in the log"`
}

// An EnrollRequest enrolls the machine that sends it.
type EnrollRequest struct {
	Token string `json:"token" minLength:"1" maxLength:"200" doc:"The one-time token"`
	Key   string `json:"key" minLength:"56" maxLength:"56" doc:"The machine's NKey, the public half"`
	Kind  string `json:"kind,omitempty" enum:"builder,host" doc:"What it is for; a token for something else is refused, and stays good. Absent: builder"`
}

// An EnrolledMachine is a machine that was just enrolled.
type EnrolledMachine struct {
	Machine string `json:"machine" format:"uuid" doc:"Id of the machine"`
	Name    string `json:"name" doc:"What it is called"`
	Kind    string `json:"kind" doc:"What it is for: builder, or host"`
	NATS    string `json:"nats" doc:"Where it connects to, HOST:PORT, by TLS"`
	Seq     uint64 `json:"seq" doc:"Sequence of the change in the log"`
}
