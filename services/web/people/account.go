package people

import (
	"net/http"
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type accountPage struct {
	User          apitypes.User
	Email         string
	Invitations   []apitypes.Invitation
	Organizations []apitypes.Organization
	Browsers      []apitypes.Token // sessions that are good
	Logins        []apitypes.Token // what docker login keeps, and is good
	Tokens        int              // good access tokens
	This          string           // id of the session of this browser
}

func showAccount(v *frame.Visit) (any, error) {
	p := accountPage{This: v.Principal.Credential}
	me, err := frame.Get[apitypes.Whoami](v, "/user", nil)
	if err != nil {
		return nil, err
	}
	if p.User = (apitypes.User{Name: me.Name}); me.User != nil {
		p.User = *me.User
	}
	if p.Invitations, err = whole[apitypes.Invitation](v, "user", "invitations"); err != nil {
		return nil, err
	}
	organizations, err := frame.Get[apitypes.List[apitypes.Organization]](v, "/orgs", url.Values{"limit": {"100"}})
	if err != nil {
		return nil, err
	}
	for _, o := range organizations.Items {
		if o.Role != "" { // administrators see them all
			p.Organizations = append(p.Organizations, o)
		}
	}
	email, err := frame.Get[apitypes.Email](v, frame.Path("users", v.Me(), "email"), nil)
	if err != nil {
		return nil, err
	}
	p.Email = email.Email
	tokens, err := goodTokens(v, "", "users", v.Me())
	for _, t := range tokens {
		switch {
		case t.Kind == "session":
			p.Browsers = append(p.Browsers, t)
		case t.Kind == "login":
			p.Logins = append(p.Logins, t)
		default:
			p.Tokens++
		}
	}
	return p, err
}

func setEmail(v *frame.Visit) (string, error) {
	path := frame.Path("users", v.Me(), "email")
	method, body := http.MethodPut, any(apitypes.Email{Email: v.Sent.Get("email")})
	if v.Sent.Get("email") == "" {
		method, body = http.MethodDelete, nil
	}
	seq, err := v.Send(method, path, body, nil)
	return frame.Done("/account", seq, err)
}

// setPassword ends the session that the visitor came by, too, and leads to sign in.
func setPassword(v *frame.Visit) (string, error) {
	want := apitypes.PasswordRequest{Old: v.Sent.Get("old"), New: v.Sent.Get("new")}
	_, err := v.Send(http.MethodPut, frame.Path("users", v.Me(), "password"), want, nil)
	if err != nil {
		return "", frame.At("old", err)
	}
	v.SignOut()
	return "/sign-in?changed=password&next=/account", nil
}

func acceptInvitation(v *frame.Visit) (string, error) {
	organization := v.Sent.Get("organization")
	seq, err := v.Send(http.MethodPost, frame.Path("user", "invitations", organization, "acceptance"), nil, nil)
	return frame.Done("/n/"+url.PathEscape(organization), seq, err)
}

func declineInvitation(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("user", "invitations", v.Sent.Get("organization")), nil, nil)
	return frame.Done("/account", seq, err)
}

// endSession signs out another browser, or a docker login.
func endSession(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("users", v.Me(), "tokens", v.Sent.Get("token")), nil, nil)
	return frame.Done("/account", seq, err)
}

// endOtherSessions signs out every other browser. There are at most account.MaxTokens.
func endOtherSessions(v *frame.Visit) (string, error) {
	tokens, err := goodTokens(v, "session", "users", v.Me())
	if err != nil {
		return "", err
	}
	var seq uint64
	for _, t := range tokens {
		if t.ID == v.Principal.Credential {
			continue
		}
		if seq, err = v.Send(http.MethodDelete, frame.Path("users", v.Me(), "tokens", t.ID), nil, nil); err != nil && !frame.Missing(err) {
			return "", err
		}
	}
	return frame.Done("/account", seq, nil)
}
