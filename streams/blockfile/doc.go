// Package blockfile reads the block files in which an embedded NATS server
// stores a stream. It never writes them.
//
// The server repairs a damaged block by cutting it off at the first bad
// record, together with all the good ones behind it; so damage has to be found
// before a server sees it.
package blockfile
