package sources

import (
	"fmt"
	"net/http"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type settingsPage struct {
	Source apitypes.Source
	Hosts  []host
}

func showSettings(v *frame.Visit) (any, error) {
	s, err := frame.Get[apitypes.Source](v, path(v), nil)
	return settingsPage{s, hosts[1:]}, err
}

// change sends a change, and shows what came of it, with a secret that it has made.
func change(v *frame.Visit, want apitypes.ChangeSourceRequest) (string, error) {
	var made apitypes.ChangedSource
	want.Seq = v.SeenSeq()
	seq, err := v.Send(http.MethodPatch, path(v), want, &made)
	if err != nil {
		return "", err
	}
	if made.HookSecret != "" || want.Credentials != nil && want.Credentials.DeployKey {
		v.Made = made
		return "", nil
	}
	return fmt.Sprintf("%s/-/settings?done=%d", page(v.Repo()), seq), nil
}

func changeSource(v *frame.Visit) (string, error) {
	to, kind, key, existing := v.Sent.Get("url"), v.Sent.Get("host"), v.Sent.Get("hostKey"), v.Sent.Get("buildExisting") != ""
	return change(v, apitypes.ChangeSourceRequest{URL: &to, Host: &kind, HostKey: &key, BuildExisting: &existing})
}

func setCredentials(v *frame.Visit) (string, error) {
	c := credentials(v)
	if v.Sent.Get("with") == "token" && c.Token == "" {
		return "", endpoint.Invalid("body.token", "write the token, or choose that there are no credentials")
	}
	return change(v, apitypes.ChangeSourceRequest{Credentials: &c})
}

func newHookSecret(v *frame.Visit) (string, error) {
	return change(v, apitypes.ChangeSourceRequest{HookSecret: true})
}

func setStatus(v *frame.Visit) (string, error) {
	on := v.Sent.Get("status") != ""
	want := apitypes.ChangeSourceRequest{Status: &on}
	if token := v.Sent.Get("statusToken"); token != "" {
		want.StatusToken = &token
	}
	return change(v, want)
}
