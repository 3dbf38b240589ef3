package apitypes

import "time"

// A Reader reads the whole log with a NATS client.
type Reader struct {
	Name      string    `json:"name" doc:"Name of the user"`
	Key       string    `json:"key" doc:"Its NKey, the public half"`
	Connected bool      `json:"connected" doc:"Whether it has a connection now"`
	Since     time.Time `json:"since" doc:"When it was added"`
	By        string    `json:"by" doc:"Who has added it"`
}

// An AddReaderRequest lets somebody read the whole log.
type AddReaderRequest struct {
	Name string `json:"name" maxLength:"63" doc:"What to call the user: lower-case letters, digits and hyphens"`
	Key  string `json:"key" maxLength:"56" doc:"Its NKey, the public half: U and 55 characters of base32. The private half stays with the user"`
}

// An AddedReader is a user that can connect from now on.
type AddedReader struct {
	Name   string `json:"name" doc:"Name of the user"`
	NATS   string `json:"nats" doc:"Where it connects to, by TLS first: HOST:PORT"`
	Stream string `json:"stream" doc:"The stream that it may read"`
	Seq    uint64 `json:"seq" doc:"Sequence of the event"`
}
