package deploys

import (
	"net/url"
	"strconv"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type deploymentPage struct {
	apitypes.Deployment
}

func showDeployment(v *frame.Visit) (any, error) {
	d, err := frame.Get[apitypes.Deployment](v, api(v, "deployments", v.Path("deployment")), nil)
	if err == nil && !d.Final && d.Step != "held" {
		v.Again(3)
	}
	return deploymentPage{d}, err
}

type deploymentsPage struct {
	Environment string
	Deployments []apitypes.Deployment
	Next        string
}

func showDeployments(v *frame.Visit) (any, error) {
	q := v.Asked("cursor", "environment")
	q.Set("limit", "50")
	list, err := frame.Get[apitypes.List[apitypes.Deployment]](v, api(v, "deployments"), q)
	return deploymentsPage{v.Query("environment"), list.Items, list.Next}, err
}

type releasesPage struct {
	Releases []apitypes.Release
	Next     string
}

func showReleases(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Release]](v, api(v, "releases"), v.Paged())
	return releasesPage{Releases: list.Items, Next: list.Next}, err
}

type releasePage struct {
	Release apitypes.Release
	Diff    apitypes.ReleaseDiff
	From    int // number of the release it is compared with; 0: none
	App     apitypes.Application
}

func showRelease(v *frame.Visit) (any, error) {
	number, err := strconv.Atoi(v.Path("release"))
	if err != nil {
		return nil, endpoint.NotFound()
	}
	p := releasePage{}
	if p.Release, err = frame.Get[apitypes.Release](v, api(v, "releases", v.Path("release")), nil); err != nil {
		return nil, err
	}
	if p.App, err = frame.Get[apitypes.Application](v, api(v), nil); err != nil {
		return nil, err
	}
	p.From = number - 1
	if from, err := strconv.Atoi(v.Query("from")); err == nil && from > 0 {
		p.From = from
	}
	if p.From > 0 && p.From != number {
		p.Diff, err = frame.Get[apitypes.ReleaseDiff](v, api(v, "releases", v.Path("release"), "diff"), url.Values{"from": {strconv.Itoa(p.From)}})
		if frame.Missing(err) {
			p.From, err = 0, nil
		}
	}
	return p, err
}

// Live are the releases that environments have the traffic with, to compare with.
func (p releasePage) Live() (list []apitypes.AppEnvironment) {
	for _, e := range p.App.Environments {
		if e.Now != nil && e.Now.Release > 0 {
			list = append(list, e)
		}
	}
	return list
}
