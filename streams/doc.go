// Package streams keeps the log: the JetStream stream EVT, embedded in this
// process or on NATS servers elsewhere. It is the only package that knows
// NATS. It appends with optimistic concurrency, lets readers follow the
// log, and finds out when a disk or a person has changed it.
//
// # What the guard sees
//
// Four records say what the log was: the journal (a projection with every event
// and its leaf), the positions of all projections, the end of the log as the
// operational store has noted it, and the seal, which notes what the files are
// when the log is closed in order. Open reads the stream's files
// before a server does, because a server that meets damage cuts it off
// together with the good events behind it. Found and refused are: a changed
// bit anywhere, a cut or missing file, a hole, an older or foreign copy of the
// directory, a changed stream configuration, another event in place of one,
// and a second server. After an orderly stop a start reads only the last
// 20,000 events; Guard.Run finds older damage in the background.
//
// # What it cannot see
//
// A tail that was lost before any of the four recorded it: the machine dies, the
// disk loses acknowledged events although it had reported them as synced, and
// neither the journal nor another projection had read them. With a single
// copy no trace of them is left. Projections follow within milliseconds; a
// cluster of three has two more copies.
//
// # The way back
//
// restore.Run makes the log anew from the journal, with every leaf unchanged, and
// takes over what the old files have behind its end; without a journal, what is
// readable at their beginning. It refuses to lose events unless it is told to. The
// new log is a new generation that names the old one and its last sequence.
//
// # A full disk
//
// Append refuses events before the disk is full, and accepts them again as soon
// as there is space. If a write fails nevertheless (a broken disk, a quota), the
// server acknowledges nothing more and the log is read-only until it is opened
// again; everything that was acknowledged is on disk.
package streams
