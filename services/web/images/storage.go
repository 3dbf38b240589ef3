package images

import (
	"net/http"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A storagePage is what a repository takes on the disk, and the rule that tidies it up.
type storagePage struct {
	Repository apitypes.RepositoryDetails
	Usage      apitypes.Usage
	Rule       apitypes.CleanupRule
	Images     *apitypes.ImagesUsage // nil: it cannot be worked out now, such as when the hub is busy
}

func showStorage(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := storagePage{Repository: r}
	if p.Usage, err = frame.Get[apitypes.Usage](v, frame.Path("repositories", v.Repo(), "usage"), nil); err != nil {
		return nil, err
	}
	if p.Rule, err = frame.Get[apitypes.CleanupRule](v, frame.Path("repositories", v.Repo(), "cleanup"), nil); err != nil {
		return nil, err
	}
	images, err := frame.Get[apitypes.ImagesUsage](v, frame.Path("repositories", v.Repo(), "usage", "images"), nil)
	if frame.Busy(err) {
		return p, nil
	}
	p.Images = &images
	return p, err
}

// sentRule is the cleanup rule that a form has.
func sentRule(v *frame.Visit) (r apitypes.CleanupRule, err error) {
	for name, to := range map[string]*int{"keepLast": &r.KeepLast, "notPulledDays": &r.NotPulledDays, "untaggedDays": &r.UntaggedDays} {
		text := strings.TrimSpace(v.Sent.Get(name))
		if text == "" {
			continue
		}
		if *to, err = strconv.Atoi(text); err != nil {
			return r, endpoint.Invalid("body."+name, "write a whole number, or nothing")
		}
	}
	for line := range strings.Lines(v.Sent.Get("keepTags")) {
		if line = strings.TrimSpace(line); line != "" {
			r.KeepTags = append(r.KeepTags, line)
		}
	}
	return r, nil
}

// previewCleanup shows what the rule of the form would delete, and changes nothing.
func previewCleanup(v *frame.Visit) (string, error) {
	rule, err := sentRule(v)
	if err != nil {
		return "", err
	}
	var preview apitypes.CleanupPreview
	_, err = v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "cleanup", "preview"), rule, &preview)
	v.Made = preview
	return "", err
}

func saveCleanup(v *frame.Visit) (string, error) {
	rule, err := sentRule(v)
	if err != nil {
		return "", err
	}
	rule.Seq = v.SeenSeq()
	seq, err := v.Send(http.MethodPut, frame.Path("repositories", v.Repo(), "cleanup"), rule, nil)
	return frame.Done(frame.RepoPage(v.Repo())+"/-/storage", seq, err)
}

func runCleanup(v *frame.Visit) (string, error) {
	var run apitypes.CleanupRun
	_, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "cleanup", "run"), nil, &run)
	return frame.Done(frame.RepoPage(v.Repo())+"/-/storage", run.Seq, err)
}
