// Package evt says what the JetStream stream EVT, which is the log, consists
// of: its configuration, its generation, how an event is written as a message
// of it, and which files of a data directory belong to it.
package evt
