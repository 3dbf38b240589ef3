package api

import (
	"context"
	"errors"
	"net/http"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// answers is what the errors of the parts mean to a client. The first that
// matches counts. A detail of "" shows the error's own text: those are written
// for people and name nothing that the client did not.
var answers = []struct {
	err    error
	status int
	detail string
}{
	{accounts.ErrNotFound, http.StatusNotFound, hidden},
	{catalog.ErrNotFound, http.StatusNotFound, hidden},
	{images.ErrNotFound, http.StatusNotFound, hidden},
	{repository.ErrUnknown, http.StatusNotFound, hidden},
	{image.ErrUnknownTag, http.StatusNotFound, "there is no such tag"},
	{catalog.ErrQuery, http.StatusUnprocessableEntity, ""},
	{account.ErrUnknown, http.StatusNotFound, hidden},
	{account.ErrName, http.StatusUnprocessableEntity, ""},
	{account.ErrInvalid, http.StatusUnprocessableEntity, ""},
	{repository.ErrName, http.StatusUnprocessableEntity, ""},
	{repository.ErrSettings, http.StatusUnprocessableEntity, ""},
	{account.ErrTaken, http.StatusConflict, ""},
	{account.ErrErased, http.StatusConflict, "the account was erased"},
	{account.ErrLastAdmin, http.StatusConflict, ""},
	{repository.ErrTaken, http.StatusConflict, ""},
	{repository.ErrNotDeleted, http.StatusConflict, ""},
	{cleanup.ErrParked, http.StatusServiceUnavailable, ""},
	{events.ErrNoSpace, http.StatusInsufficientStorage, "the disk is full up to its reserve: delete images or add space"},
	{events.ErrReadOnly, http.StatusServiceUnavailable, "the hub is read-only until its operator has repaired the log"},
	{events.ErrConflict, http.StatusConflict, "somebody else changed the same thing at the same time: try again"},
	{events.ErrUncertain, http.StatusServiceUnavailable, "the change may have been made or not: look before you try again"},
	{access.ErrStale, http.StatusServiceUnavailable, "this node's accounts are behind the log: try again"},
	{access.ErrParked, http.StatusServiceUnavailable, "a decision rests on an event that this version cannot apply: the operator has to look"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "the hub did not get to it in time: try again"},
	{context.Canceled, http.StatusServiceUnavailable, "the hub did not get to it in time: try again"},
}

// problemOf finds the answer to an error. What is not known here is a fault of
// ours: 500, with the cause in the server's log only.
func problemOf(err error) *problem {
	var p *problem
	var denied *access.Denied
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &denied):
		p = fail(denied.Status, denied.Message).because(err)
		if denied.Challenge != "" {
			p.with("WWW-Authenticate", denied.Challenge)
		}
		if denied.RetryAfter > 0 {
			p.retryAfter(denied.RetryAfter)
		}
		return p
	}
	for _, a := range answers {
		if !errors.Is(err, a.err) {
			continue
		}
		if a.detail == "" {
			a.detail = err.Error()
		}
		p = fail(a.status, a.detail).because(err)
		if again := a.err == events.ErrConflict || a.status == http.StatusServiceUnavailable; again && a.err != events.ErrUncertain {
			p.with("Retry-After", "1")
		}
		return p
	}
	return fail(http.StatusInternalServerError, "internal error: the server's log says more").because(err)
}

// problem logs what is our fault and gives the answer to an error.
func (s *API) problem(ctx context.Context, route string, err error) *problem {
	p := problemOf(err)
	for _, refusal := range s.Refusals {
		if errors.Is(err, refusal) {
			p = fail(http.StatusConflict, err.Error()).because(err)
		}
	}
	switch {
	case ctx.Err() != nil:
		s.Logger.Debug("the client went away", "route", route, "error", err)
	case p.Status >= 500 && p.Status != http.StatusInsufficientStorage:
		s.Logger.Error("request failed", "route", route, "status", p.Status, "error", cause(p, err))
	}
	return p
}

// cause is what the log says of a problem.
func cause(p *problem, err error) error {
	if p.cause != nil {
		return p.cause
	}
	return err
}

// ignoreMissing is for lists, where nothing is an answer.
func ignoreMissing(err error) error {
	if errors.Is(err, accounts.ErrNotFound) || errors.Is(err, catalog.ErrNotFound) || errors.Is(err, images.ErrNotFound) {
		return nil
	}
	return err
}
