// Package apitypes has what goes over the wire of the hub's API, once for the
// server, the command line and pages: requests and answers of /api/v1 as plain
// structs. Their tags are the OpenAPI document's, which calls each by the name
// that it has here.
package apitypes

// SequenceHeader names the header with the sequence of a change in the log.
const SequenceHeader = "Hubledger-Sequence"
