package deploys

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// composeOf is the Compose file that a form has sent: browsers send its line breaks as CR LF.
func composeOf(v *frame.Visit) string {
	return strings.ReplaceAll(v.Sent.Get("compose"), "\r\n", "\n")
}

// checkCompose shows what a Compose file comes to, and changes nothing.
func checkCompose(v *frame.Visit) (string, error) {
	var checked apitypes.CheckedCompose
	if _, err := v.Send(http.MethodPost, "/compose/check", apitypes.CheckComposeRequest{Compose: composeOf(v)}, &checked); err != nil {
		return "", err
	}
	if len(checked.Problems) == 0 {
		v.Made = checked
		return "", nil
	}
	refused := endpoint.Fail(http.StatusUnprocessableEntity, "the Compose file would be refused; nothing was changed")
	for _, p := range checked.Problems {
		refused.At("body.compose", compose.Problem{Path: p.Path, Line: p.Line, Text: p.Text}.Error())
	}
	return "", refused
}

type newAppPage struct{ First string } // a Compose file to begin with

func showNewApp(v *frame.Visit) (any, error) {
	return newAppPage{fmt.Sprintf(`services:
  web:
    image: %s/%s/web:1
    x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081, probe: /healthz}
`, v.Host(), v.Path("namespace"))}, nil
}

// createApp makes an application and its first environment, and leads to what that lacks: hosts.
func createApp(v *frame.Visit) (string, error) {
	name, environment := strings.TrimSpace(v.Sent.Get("name")), strings.TrimSpace(v.Sent.Get("environment"))
	if name == "" {
		return "", endpoint.Invalid("body.name", "write what it is to be called, such as shop")
	}
	if err := application.CheckEnvironment(environment); environment != "" && err != nil { // before anything is made
		return "", endpoint.Invalid("body.environment", err.Error())
	}
	full := v.Path("namespace") + "/" + name
	seq, err := v.Send(http.MethodPost, frame.Path("apps", v.Path("namespace")), apitypes.CreateApplicationRequest{Name: name, Compose: composeOf(v)}, nil)
	if err != nil || environment == "" {
		return frame.Done(frame.AppPage(full), seq, err)
	}
	if seq, err = v.Send(http.MethodPut, frame.Path("apps", v.Path("namespace"), name, "environments", environment), nil, nil); err != nil {
		return frame.AppPage(full) + "/-/settings", nil // the application is there: its settings say what it lacks
	}
	return frame.Done(frame.AppPage(full, environment)+"/hosts", seq, nil)
}

type appSettingsPage struct{ App apitypes.Application }

func showAppSettings(v *frame.Visit) (any, error) {
	a, err := frame.Get[apitypes.Application](v, api(v), nil)
	return appSettingsPage{a}, err
}

// changeApp changes what the form names.
func changeApp(v *frame.Visit) (string, error) {
	want := apitypes.ChangeApplicationRequest{Seq: v.SeenSeq()}
	if v.Sent.Get("do") == "compose" {
		text := composeOf(v)
		want.Compose = &text
	} else {
		keep, err := strconv.Atoi(strings.TrimSpace(v.Sent.Get("keep")))
		if err != nil {
			return "", endpoint.Invalid("body.keep", "write a number from 1 to 100")
		}
		want.Keep = &keep
	}
	seq, err := v.Send(http.MethodPatch, api(v), want, nil)
	return frame.Done(frame.AppPage(fullName(v))+"/-/settings", seq, err)
}

// addEnvironment leads to what a new environment lacks: hosts.
func addEnvironment(v *frame.Visit) (string, error) {
	name := strings.TrimSpace(v.Sent.Get("environment"))
	if name == "" {
		return "", endpoint.Invalid("path.environment", "write what it is to be called, such as staging")
	}
	seq, err := v.Send(http.MethodPut, api(v, "environments", name), nil, nil)
	return frame.Done(frame.AppPage(fullName(v), name)+"/hosts", seq, frame.At("environment", err))
}

func deleteApp(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, api(v), nil, nil)
	return frame.Done("/n/"+v.Path("namespace")+"/apps", seq, err)
}

func showDeleteEnvironment(v *frame.Visit) (any, error) { return findEnvironment(v) }

func deleteEnvironment(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, envAPI(v), nil, nil)
	return frame.Done(frame.AppPage(fullName(v)), seq, err)
}

// Busy are the environments that a deployment has: the application cannot be deleted meanwhile.
func (p appSettingsPage) Busy() (names []string) {
	for _, e := range p.App.Environments {
		if e.Now != nil && !slices.Contains([]string{"ended", "idle"}, e.Now.Step) {
			names = append(names, e.Name)
		}
	}
	return names
}
