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
