package deploys

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type configPage struct {
	App, Environment string
	apitypes.Configuration
	Missing []string // variables of the Compose file that are not set
	Key     string   // that is to be removed
	Secret  bool     // it is one
}

// environmentOf is what the application says of the environment of the page's address.
func environmentOf(v *frame.Visit) (apitypes.AppEnvironment, error) {
	a, err := frame.Get[apitypes.Application](v, api(v), nil)
	if err != nil {
		return apitypes.AppEnvironment{}, err
	}
	k := slices.IndexFunc(a.Environments, func(e apitypes.AppEnvironment) bool { return e.Name == v.Path("environment") })
	if k < 0 {
		return apitypes.AppEnvironment{}, endpoint.NotFound()
	}
	return a.Environments[k], nil
}

func showConfig(v *frame.Visit) (any, error) {
	p := configPage{App: fullName(v), Environment: v.Path("environment")}
	e, err := environmentOf(v)
	if err != nil {
		return nil, err
	}
	p.Missing = e.Missing
	p.Configuration, err = frame.Get[apitypes.Configuration](v, envAPI(v, "config"), nil)
	return p, err
}

// setKey sets a value or a secret.
func setKey(list string) frame.Do {
	return func(v *frame.Visit) (string, error) {
		name := strings.TrimSpace(v.Sent.Get("key"))
		if name == "" {
			return "", endpoint.Invalid("body.key", "write the name of a variable, such as REGION")
		}
		value := strings.ReplaceAll(v.Sent.Get("value"), "\r\n", "\n") // as forms send line breaks
		if list == "secrets" {
			value = strings.ReplaceAll(v.Sent.Get("secret"), "\r\n", "\n")
			v.Sent.Del("secret") // it is not shown again
		}
		seq, err := v.Send(http.MethodPut, envAPI(v, list, name), apitypes.SetConfigRequest{Value: value, Seq: v.SeenSeq()}, nil)
		return frame.Done(envPage(v)+"/config", seq, err)
	}
}

func showRemoveKey(v *frame.Visit) (any, error) {
	shown, err := showConfig(v)
	if err != nil {
		return nil, err
	}
	p := shown.(configPage)
	p.Key, p.Secret = v.Path("key"), slices.Contains(p.Secrets, v.Path("key"))
	if !p.Secret && !slices.ContainsFunc(p.Values, func(of apitypes.ConfigValue) bool { return of.Name == p.Key }) {
		return nil, endpoint.NotFound()
	}
	return p, nil
}

func removeKey(v *frame.Visit) (string, error) {
	list := "config"
	if v.Sent.Get("kind") == "secret" {
		list = "secrets"
	}
	at := envAPI(v, list, v.Path("key"))
	if seen := v.SeenSeq(); seen != nil {
		at += "?seq=" + strconv.FormatUint(*seen, 10)
	}
	seq, err := v.Send(http.MethodDelete, at, nil, nil)
	return frame.Done(envPage(v)+"/config", seq, err)
}
