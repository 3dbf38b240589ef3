package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// signIn opens a session, and leads to where the visitor wanted to go.
func (p *pages) signIn(v *frame.Visit) (string, error) {
	signed, err := p.Sessions.SignIn(v.Context(), v.Request, strings.TrimSpace(v.Sent.Get("name")), v.Sent.Get("password"), browser(v.Request.UserAgent()))
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		return "", endpoint.Fail(http.StatusForbidden, "There is no such name with that password.").Because(err)
	}
	if err != nil {
		return "", err
	}
	v.SignIn(signed)
	if signed.Half {
		return "/sign-in/code?" + url.Values{"next": {frame.Local(v.Sent.Get("next"), "/")}}.Encode(), nil
	}
	return frame.Local(v.Sent.Get("next"), "/"), nil
}

// showCode asks for the code of a second factor; who has not given the password first, or
// too long ago, does so.
func showCode(v *frame.Visit) (any, error) {
	if v.Half() == "" {
		return nil, v.Lead(signInAgain(v.Query("next")))
	}
	return nil, nil
}

func signInAgain(next string) string {
	return "/sign-in?" + url.Values{"again": {"1"}, "next": {frame.Local(next, "/")}}.Encode()
}

// giveCode opens the session of who has given the password before.
func (p *pages) giveCode(v *frame.Visit) (string, error) {
	signed, err := p.Sessions.FinishSignIn(v.Context(), v.Request, v.Half(), v.Sent.Get("code"), browser(v.Request.UserAgent()))
	v.Sent.Del("code") // a code is not shown again
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		if denied.CodeNeeded {
			return "", endpoint.Fail(http.StatusForbidden, "The code was not accepted.").At("code", denied.Message).Because(err)
		}
		v.ForgetHalf()
		return signInAgain(v.Sent.Get("next")), nil
	}
	if err != nil {
		return "", err
	}
	v.ForgetHalf()
	v.SignIn(signed)
	return frame.Local(v.Sent.Get("next"), "/"), nil
}

// signOut ends the session that the visitor came by.
func signOut(v *frame.Visit) (string, error) {
	// A session of a hub that was read-only is no token: the cookie alone has it.
	if id := v.Principal.Credential; id != "" && id != access.Password {
		_, err := v.Send(http.MethodDelete, frame.Path("users", v.Me(), "tokens", id), nil, nil)
		if err != nil && !frame.Missing(err) {
			return "", err
		}
	}
	v.SignOut()
	return "/", nil
}

// browser is what the list of sessions calls a browser, by its User-Agent.
func browser(agent string) string {
	name, system := "A browser", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b[0]) {
			name = b[1]
			break
		}
	}
	for _, s := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			system = " on " + s[1]
			break
		}
	}
	return name + system
}
