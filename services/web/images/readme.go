package images

import (
	"html/template"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type readmePage struct {
	Repository apitypes.RepositoryDetails
	Readme     template.HTML
	Running    []apitypes.RunningImage
}

func showReadme(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := readmePage{Repository: r, Running: frame.Running(v)}
	if r.Readme != "" {
		readme, err := frame.Get[apitypes.Readme](v, frame.Path("repositories", v.Repo(), "readme"), nil)
		if err != nil {
			return nil, err
		}
		p.Readme = frame.Prose(v, readme.HTML)
	}
	return p, nil
}
