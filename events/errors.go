package events

import "errors"

// What an append can be refused with. Streams returns them, services match
// them with errors.Is.
var (
	// ErrConflict: the aggregate has moved on since the expected sequence was read.
	ErrConflict = errors.New("the aggregate was changed by someone else at the same time")
	// ErrReadOnly: the log guard has found the log or the disk untrustworthy.
	ErrReadOnly = errors.New("the log is read-only")
	// ErrUncertain: the event may be in the log or not, because the caller gave
	// up or the disk failed. Appending the same event again finds out.
	ErrUncertain = errors.New("the event may be in the log or not")
	// ErrNoSpace: the space reserve is used up; see Relieves.
	ErrNoSpace = errors.New("the disk's reserve is reached: only what frees space, takes rights away or locks out is accepted")
)

// AnySeq lets an event be appended whatever the last event of its subject is.
const AnySeq = ^uint64(0)
