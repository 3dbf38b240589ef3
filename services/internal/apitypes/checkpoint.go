package apitypes

import "time"

// A Checkpoint is what the hub has signed of its log.
type Checkpoint struct {
	Origin string   `json:"origin" doc:"Name of the log: that of the hub, and the generation of the log"`
	Events uint64   `json:"events" doc:"How many events were signed: those of the sequences from 1 to this one"`
	Root   string   `json:"root" doc:"Root hash of the Merkle tree over their leaves, in hexadecimal digits"`
	Signed string   `json:"signed" doc:"The checkpoint with its signature (C2SP tlog-checkpoint), byte for byte"`
	Keys   []string `json:"keys" doc:"The public keys that have signed checkpoints of this log, the latest last"`
	// Witnesses are absent while none has cosigned a checkpoint.
	Witnesses    []string      `json:"witnesses,omitempty" doc:"The keys of the witnesses that have cosigned checkpoints of this log (C2SP tlog-cosignature)"`
	Cosignatures []Cosignature `json:"cosignatures,omitempty" doc:"Which of them have cosigned this one"`
}

// A Cosignature is that of a witness, which has seen that a checkpoint follows from all
// earlier ones.
type Cosignature struct {
	Witness string    `json:"witness" doc:"Name of the witness"`
	Time    time.Time `json:"time" doc:"When it has seen the checkpoint, by its own clock"`
}
