package builds

import (
	"fmt"
	"net/http"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type secretsPage struct {
	Repository apitypes.RepositoryDetails
	Secrets    []apitypes.BuildSecret
}

func secretsOf(v *frame.Visit) ([]apitypes.BuildSecret, error) {
	list, err := frame.Get[apitypes.BuildSecrets](v, frame.Path("repositories", v.Repo(), "build-secrets"), nil)
	return list.Secrets, err
}

func showSecrets(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	list, err := secretsOf(v)
	return secretsPage{r, list}, err
}

func setSecret(v *frame.Visit) (string, error) {
	name := v.Sent.Get("name")
	if name == "" {
		return "", endpoint.Invalid("body.name", "give the secret a name, such as NPM_TOKEN")
	}
	want := apitypes.SetBuildSecretRequest{Value: v.Sent.Get("value"), ForFile: v.Sent.Get("forFile") != ""}
	seq, err := v.Send(http.MethodPut, frame.Path("repositories", v.Repo(), "build-secrets", name), want, nil)
	return fmt.Sprintf("%s/-/build-secrets?done=%d", frame.RepoPage(v.Repo()), seq), err
}

func showSecret(v *frame.Visit) (any, error) {
	list, err := secretsOf(v)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(list, func(s apitypes.BuildSecret) bool { return s.Name == v.Path("secret") })
	if k < 0 {
		return nil, endpoint.NotFound()
	}
	return list[k], nil
}

func deleteSecret(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "build-secrets", v.Path("secret")), nil, nil)
	return fmt.Sprintf("%s/-/build-secrets?done=%d", frame.RepoPage(v.Repo()), seq), err
}
