package failure_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

func TestOf(t *testing.T) {
	mine := errors.New("mine")
	own := []failure.Entry{{Err: mine, Status: 418}, {Err: events.ErrReadOnly, Status: 405, Message: "pulls work"}}
	for _, c := range []struct {
		err     error
		status  int
		message string
		retry   time.Duration
		header  string // and its value, "" for none
	}{
		{fmt.Errorf("look up: %w", accounts.ErrNotFound), 404, failure.Hidden, 0, ""},
		{fmt.Errorf("bob: %w", account.ErrTaken), 409, "bob: the name is taken", 0, ""},
		{&image.ImmutableError{Tag: "v1", Digest: "sha256:x"}, 409, "tag v1 is immutable and names sha256:x", 0, ""},
		{&repository.MayNotCreateError{Name: "a/b", Own: "c"}, 403, "you may not create a/b: your own repositories have names that begin with c/", 0, ""},
		{&account.TooManyError{Made: 50}, 403, "you have made 50 organizations: administrators of the hub can make more", 0, ""},
		{&account.UnfinishedError{After: time.Minute}, 409, (&account.UnfinishedError{}).Error(), time.Minute, ""},
		{&account.PasswordError{Err: fmt.Errorf("%w: too short", account.ErrInvalid)}, 422, "invalid value: too short", 0, ""},
		{events.ErrConflict, 409, "somebody else changed the same thing at the same time: try again", time.Second, ""},
		{events.ErrUncertain, 503, "the change may have been made or not: look before you try again", 0, ""},
		{context.Canceled, 503, "the hub did not get to it in time: try again", time.Second, ""},
		{errors.New("open /secret/path: permission denied"), 500, "internal error: the server's log says more", 0, ""},
		{&access.Denied{Status: 429, Message: "slow down", RetryAfter: 1500 * time.Millisecond, Cause: errors.New("inside")}, 429, "slow down", 1500 * time.Millisecond, ""},
		{&access.Denied{Status: 401, Message: "log in", Challenge: "Bearer x"}, 401, "log in", 0, "Www-Authenticate Bearer x"},
		{&command.UnreadableError{Seq: 7, Err: context.DeadlineExceeded}, 503, "the change was made and is event 7 of the log, but it takes long until it can be read back", 0, "Hubledger-Sequence 7"},
		{&account.CutOffError{Name: "bob", After: time.Minute, Err: &command.UnreadableError{Seq: 7}}, 503,
			"the user bob was made, but cannot log in yet: the change was made and is event 7 of the log, but it takes long until it can be read back; send the same again in two minutes, or set the password", time.Minute, ""},
		{fmt.Errorf("and so on: %w", mine), 418, "and so on: mine", 0, ""},
		{events.ErrReadOnly, 405, "pulls work", 0, ""},
	} {
		f := failure.Of(c.err, own...)
		header := ""
		for name := range f.Header {
			header += name + " " + f.Header.Get(name)
		}
		if f.Status != c.status || f.Message != c.message || f.RetryAfter != c.retry || header != c.header || http.StatusText(f.Status) == "" {
			t.Errorf("%v: %+v", c.err, f)
		}
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2", time.Minute: "60"} {
		if got := failure.Seconds(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
