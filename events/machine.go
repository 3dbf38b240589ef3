package events

import "time"

// Kinds of machines.
const (
	MachineBuilder = "builder" // runs builds
	MachineHost    = "host"    // runs applications
	MachineReader  = "reader"  // reads the log
)

// MachineInvited lets a machine enroll itself by a one-time token. The token is 256
// random bits, so its SHA-256 reveals nothing about it.
type MachineInvited struct {
	Machine string    `json:"machine" jsonschema:"id of the machine, UUIDv7"`
	Name    string    `json:"name" jsonschema:"what it is called; one machine at a time has it"`
	Kind    string    `json:"kind" jsonschema:"what it is for: builder, or host"`
	Hash    []byte    `json:"hash" jsonschema:"SHA-256 of the one-time token"`
	Expires time.Time `json:"expires" jsonschema:"when the token can no longer be used"`
	// Namespaces are ids.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"of a host: ids of the namespaces whose applications it may run; absent: of all"`
}

func (MachineInvited) EventType() string { return "machine.invited.v1" }
func (e MachineInvited) Subject() string { return MachineSubject(e.Name) }

// MachineEnrolled says that a machine has used its token: from then on it is known by
// its key.
type MachineEnrolled struct {
	Machine string `json:"machine" jsonschema:"id of the machine"`
	Name    string `json:"name" jsonschema:"of the machine"`
	Kind    string `json:"kind" jsonschema:"of the machine"`
	Key     string `json:"key" jsonschema:"its NKey, the public half: U and 55 characters of base32"`
	// Namespaces are those of the invitation.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"of a host: ids of the namespaces whose applications it may run; absent: of all"`
}

func (MachineEnrolled) EventType() string { return "machine.enrolled.v1" }
func (e MachineEnrolled) Subject() string { return MachineSubject(e.Name) }

// MachineRevoked ends a machine, or its invitation, at once. Its name is free again.
type MachineRevoked struct {
	Machine string `json:"machine" jsonschema:"id of the machine"`
	Name    string `json:"name" jsonschema:"of the machine"`
	Kind    string `json:"kind" jsonschema:"of the machine"`
}

func (MachineRevoked) EventType() string { return "machine.revoked.v1" }
func (e MachineRevoked) Subject() string { return MachineSubject(e.Name) }

// MachineSubject is that of the machines of that name, which exist one after another.
func MachineSubject(name string) string { return SubjectPrefix + "_.machine." + HashName(name) }
