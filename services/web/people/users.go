package people

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

func showUsers(v *frame.Visit) (any, error) {
	return frame.Get[apitypes.List[apitypes.User]](v, "/users", v.Paged())
}

// createUser makes a user and shows the password that was made, this once.
func createUser(v *frame.Visit) (string, error) {
	want := apitypes.CreateUserRequest{Name: strings.TrimSpace(v.Sent.Get("name")), Email: strings.TrimSpace(v.Sent.Get("email")), Admin: v.Sent.Get("admin") != ""}
	var made apitypes.CreatedUser
	if _, err := v.Send(http.MethodPost, "/users", want, &made); err != nil {
		return "", frame.At("name", err)
	}
	v.Made, v.Sent = made, nil
	return "", nil
}

func showUser(v *frame.Visit) (any, error) {
	return frame.Get[apitypes.User](v, frame.Path("users", v.Path("user")), nil)
}

// showUserPage is what every name of an actor links to. Administrators see the user;
// others are led to what is in the user's namespace.
func showUserPage(v *frame.Visit) (any, error) {
	name := v.Path("user")
	organization, robot, isRobot := strings.Cut(name, "+")
	switch {
	case name == access.Operates.Name:
		return apitypes.User{Name: name}, nil
	case isRobot:
		return nil, v.Lead("/n/" + url.PathEscape(organization) + "/-/robots/" + url.PathEscape(robot))
	case !v.Principal.Administers():
		return nil, v.Lead("/n/" + url.PathEscape(name))
	}
	user, err := showUser(v)
	if frame.Missing(err) { // such as an organization
		return nil, v.Lead("/n/" + url.PathEscape(name))
	}
	return user, err
}

func setStanding(v *frame.Visit) (string, error) {
	var want apitypes.StandingRequest
	on := v.Sent.Get("to") == "yes"
	switch v.Sent.Get("what") {
	case "admin":
		want.Admin = &on
	case "disabled":
		want.Disabled = &on
	default:
		return "", endpoint.Invalid("body.what", "the form does not say what to change")
	}
	seq, err := v.Send(http.MethodPatch, frame.Path("users", v.Path("user")), want, nil)
	return frame.Done(userAt(v.Path("user")), seq, err)
}

// A madePassword is shown once.
type madePassword struct{ Name, Password string }

// resetPassword gives another user a password that is made here.
func resetPassword(v *frame.Visit) (string, error) {
	if v.Path("user") == v.Me() {
		return "/account", nil
	}
	made := madePassword{v.Path("user"), rand.Text()}
	_, err := v.Send(http.MethodPut, frame.Path("users", made.Name, "password"), apitypes.PasswordRequest{New: made.Password}, nil)
	if err == nil {
		v.Made = made
	}
	return "", err
}

func eraseUser(v *frame.Visit) (string, error) {
	name := v.Path("user")
	want := apitypes.EraseRequest{Confirm: v.Sent.Get("confirm"), Password: v.Sent.Get("password")}
	seq, err := v.Send(http.MethodPost, frame.Path("users", name, "erasure"), want, nil)
	if err != nil {
		return "", frame.At("password", err)
	}
	if name == v.Me() {
		v.SignOut()
		return "/", nil
	}
	return frame.Done(userAt(name), seq, nil)
}
