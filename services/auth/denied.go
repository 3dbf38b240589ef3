package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/totp"
)

// refusal turns the error of a failed authentication into the answer to the
// client. scope is the one that the request needs, for the challenge.
func (s *Auth) refusal(r *http.Request, err error, scope string) *access.Denied {
	var already *access.Denied
	var soon throttled
	var exceeded *budget.ExceededError
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &exceeded):
		return &access.Denied{Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", RetryAfter: exceeded.RetryAfter, Message: exceeded.Error()}
	case errors.As(err, &soon):
		wait := max(soon.wait.Round(time.Second), time.Second)
		return &access.Denied{Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", RetryAfter: wait,
			Message: "too many failed logins: try again in " + wait.String()}
	case errors.Is(err, access.ErrStale):
		return unavailable("this node is behind the log and does not know who may do what: try again", err)
	case errors.Is(err, errBusy):
		return unavailable("too many logins at once: try again", err)
	case errors.Is(err, access.ErrParked):
		return &access.Denied{Status: http.StatusForbidden, Code: "DENIED", Cause: err,
			Message: "the hub cannot tell who may do this, because it could not read an event: its operator finds out which by projections ls"}
	case errors.Is(err, errToken):
		return s.unauthorized(r, scope, "invalid_token", "the token is invalid or has expired: log in again", err)
	case errors.Is(err, access.ErrAccount), errors.Is(err, access.ErrCredential):
		return s.unauthorized(r, scope, "invalid_token", "the account or the credential is no longer valid: log in again", err)
	case errors.Is(err, errCodeNeeded):
		d := s.unauthorized(r, scope, "", err.Error()+"; "+s.issuer(r)+"/account has them", nil)
		d.CodeNeeded = true
		return d
	case errors.Is(err, totp.ErrCode):
		d := s.unauthorized(r, scope, "", totp.ErrCode.Error(), nil)
		d.CodeNeeded = true
		return d
	case errors.Is(err, errCredentials), errors.Is(err, errScheme):
		return s.unauthorized(r, scope, "", err.Error(), nil)
	case errors.Is(err, events.ErrReadOnly):
		return unavailable("the hub is read-only and cannot read passwords: log in by an access token, or wait until its operator has repaired the log", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable("the hub did not get to it in time: try again", err)
	}
	return &access.Denied{Status: http.StatusInternalServerError, Code: "UNKNOWN", Message: "internal error: the server's log says more", Cause: err}
}

func unavailable(message string, cause error) *access.Denied {
	return &access.Denied{Status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: message, RetryAfter: time.Second, Cause: cause}
}

// unauthorized is a 401. kind is an error of RFC 6750, section 3.1, or "".
func (s *Auth) unauthorized(r *http.Request, scope, kind, message string, cause error) *access.Denied {
	code := "UNAUTHORIZED"
	if kind == "insufficient_scope" {
		code = "DENIED"
	}
	return &access.Denied{Status: http.StatusUnauthorized, Code: code, Message: message, Cause: cause,
		Challenge: s.challenge(r, scope, kind, message)}
}

// challenge is the WWW-Authenticate header that leads clients to the token
// service. Its realm has the host and port of the request, since some clients
// refuse another one. Docker shows the error_description to its user.
func (s *Auth) challenge(r *http.Request, scope, kind, message string) string {
	var b strings.Builder
	b.WriteString(`Bearer realm=` + quote(s.issuer(r)+"/token") + `,service=` + quote(s.service))
	if scope != "" {
		b.WriteString(`,scope=` + quote(scope))
	}
	if kind != "" {
		b.WriteString(`,error=` + quote(kind) + `,error_description=` + quote(message))
	}
	return b.String()
}

// quote makes a quoted-string (RFC 9110, section 5.6.4).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c >= ' ' && c < 0x7f:
			b.WriteRune(c)
		default:
			b.WriteByte('?')
		}
	}
	b.WriteByte('"')
	return b.String()
}

// issuer is the base of the hub's URLs as this client sees them.
func (s *Auth) issuer(r *http.Request) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return origin.Of(r).URL()
}
