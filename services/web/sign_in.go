package web

import (
	"errors"
	"net/http"
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
