package apitypes

// A Checkpoint is what the hub has signed of its log.
type Checkpoint struct {
	Origin string   `json:"origin" doc:"Name of the log: that of the hub, and the generation of the log"`
	Events uint64   `json:"events" doc:"How many events were signed: those of the sequences from 1 to this one"`
	Root   string   `json:"root" doc:"Root hash of the Merkle tree over their leaves, in hexadecimal digits"`
	Signed string   `json:"signed" doc:"The checkpoint with its signature (C2SP tlog-checkpoint), byte for byte"`
	Keys   []string `json:"keys" doc:"The public keys that have signed checkpoints of this log, the latest last"`
}
