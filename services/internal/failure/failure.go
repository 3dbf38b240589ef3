// Package failure says what an error means to a client: the HTTP status, what
// to tell people, and whether to try again. It is the one table of the errors of
// commands, rights and read models; each protocol adds its own form, and its own
// entries where its clients need other answers.
package failure

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
)

// Hidden is the message for what does not exist and for what may not be seen.
const Hidden = "there is nothing of that name that you may see"

// A Failure is an error as clients get it, whatever the protocol.
type Failure struct {
	Status  int    // of HTTP
	Message string // for people; names nothing that the client did not name
	// RetryAfter is how long to wait before another try; 0 when another try is
	// not known to be worth it.
	RetryAfter time.Duration
	// Header has what else the answer says: WWW-Authenticate, or the sequence of
	// a change that was made. Never nil.
	Header http.Header
}

// An Entry is the answer to one error.
type Entry struct {
	Err    error // matched by errors.Is
	Status int
	// Message for people; "" shows the error's own text, which then has to be
	// written for them and to name nothing that the client did not.
	Message string
	Retry   time.Duration // Failure.RetryAfter
}

// Of is the answer to an error. Errors with an answer of their own, such as
// *access.Denied, come first, whatever they wrap. Then the first entry that
// matches counts, those of own before the common ones. All other errors are
// faults of the server: 500, without the cause, which is for the server's log.
func Of(err error, own ...Entry) Failure {
	var cut *account.CutOffError
	if errors.As(err, &cut) {
		return cutOff(cut, own)
	}
	var exceeded *budget.ExceededError
	var denied *access.Denied
	var unfinished *account.UnfinishedError
	var unreadable *command.UnreadableError
	switch {
	case errors.As(err, &denied):
		f := Failure{Status: denied.Status, Message: denied.Message, RetryAfter: denied.RetryAfter, Header: http.Header{}}
		if denied.Challenge != "" {
			f.Header.Set("WWW-Authenticate", denied.Challenge)
		}
		if denied.CodeNeeded {
			f.Header.Set(apitypes.CodeHeader, "needed")
		}
		return f
	case errors.As(err, &exceeded):
		return Failure{http.StatusTooManyRequests, exceeded.Error(), exceeded.RetryAfter, http.Header{}}
	case errors.As(err, &unfinished):
		return Failure{http.StatusConflict, unfinished.Error(), unfinished.After, http.Header{}}
	case errors.As(err, &unreadable):
		f := Failure{Status: http.StatusServiceUnavailable, Message: unreadable.Error(), Header: http.Header{}}
		f.Header.Set(apitypes.SequenceHeader, strconv.FormatUint(unreadable.Seq, 10))
		return f
	}
	for _, e := range slices.Concat(own, common) {
		if errors.Is(err, e.Err) {
			return e.failure(err)
		}
	}
	return Failure{Status: http.StatusInternalServerError, Message: "internal error: the server's log says more", Header: http.Header{}}
}

func (e Entry) failure(err error) Failure {
	f := Failure{Status: e.Status, Message: e.Message, RetryAfter: e.Retry, Header: http.Header{}}
	if f.Message == "" {
		f.Message = err.Error()
	}
	return f
}

// cutOff is the answer when the creation of a user was cut off. It has no
// sequence, so that it is not kept and the same Idempotency-Key can go on.
func cutOff(cut *account.CutOffError, own []Entry) Failure {
	f := Of(cut.Err, own...)
	f.Header.Del(apitypes.SequenceHeader)
	told := account.CutOffError{Name: cut.Name, Err: errors.New(f.Message)}
	f.Message = told.Error() + "; send the same again in two minutes, or set the password"
	f.RetryAfter = cut.After
	return f
}

// Seconds writes a duration for Retry-After: in whole seconds, at least one
// (RFC 9110, section 10.2.3).
func Seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
