package settings

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type settingsPage struct {
	Repository apitypes.RepositoryDetails
	Policy     apitypes.Policy
}

func showSettings(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	policy, err := frame.Get[apitypes.Policy](v, frame.Path("repositories", v.Repo(), "policy"), nil)
	return settingsPage{r, policy}, err
}

func settingsAt(v *frame.Visit) string { return frame.RepoPage(v.Repo()) + "/-/settings" }

func change(v *frame.Visit, want apitypes.ChangeRepositoryRequest) (string, error) {
	want.Seq = v.SeenSeq()
	seq, err := v.Send(http.MethodPatch, frame.Path("repositories", v.Repo()), want, nil)
	return frame.Done(settingsAt(v), seq, err)
}

func describe(v *frame.Visit) (string, error) {
	line, topics := v.Sent.Get("description"), strings.FieldsFunc(v.Sent.Get("topics"), func(r rune) bool { return r == ',' || r == ' ' })
	if topics == nil {
		topics = []string{}
	}
	return change(v, apitypes.ChangeRepositoryRequest{Description: &line, Topics: &topics})
}

// readme is what was sent, with the ends of lines as people write them: a browser sends
// others (HTML, "multipart/form-data and textarea").
func readme(v *frame.Visit) string { return strings.ReplaceAll(v.Sent.Get("readme"), "\r\n", "\n") }

func saveReadme(v *frame.Visit) (string, error) {
	text := readme(v)
	return change(v, apitypes.ChangeRepositoryRequest{Readme: &text})
}

// previewReadme shows the page with what the README would look like.
func previewReadme(v *frame.Visit) (string, error) {
	var shown apitypes.Readme
	_, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "readme", "preview"), apitypes.PreviewReadmeRequest{Readme: readme(v)}, &shown)
	v.Made = frame.Prose(v, shown.HTML)
	return "", err
}

func setPolicy(v *frame.Visit) (string, error) {
	want := apitypes.Policy{ImmutableTags: []string{}, SparseIndexes: v.Sent.Get("sparseIndexes") != "", Seq: v.SeenSeq()}
	for pattern := range strings.Lines(v.Sent.Get("immutableTags")) {
		if pattern = strings.TrimSpace(pattern); pattern != "" {
			want.ImmutableTags = append(want.ImmutableTags, pattern)
		}
	}
	seq, err := v.Send(http.MethodPut, frame.Path("repositories", v.Repo(), "policy"), want, nil)
	return frame.Done(settingsAt(v), seq, err)
}

func setVisibility(v *frame.Visit) (string, error) {
	return change(v, apitypes.ChangeRepositoryRequest{Visibility: v.Sent.Get("visibility")})
}

type deletePage struct {
	Repository apitypes.RepositoryDetails
	Until      time.Time // a deletion now can be undone until then
	Freed      *apitypes.DeletionPreview
}

func showDelete(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	hub, err := frame.Get[apitypes.Hub](v, "/hub", nil)
	if err != nil {
		return nil, err
	}
	freed, err := frame.Freed(v, apitypes.DeletionPreviewRequest{})
	return deletePage{r, time.Now().Add(time.Duration(hub.UndeleteSeconds) * time.Second), freed}, err
}

func deleteRepository(v *frame.Visit) (string, error) {
	if v.Sent.Get("confirm") != v.Repo() {
		return "", endpoint.Invalid("confirm", fmt.Sprintf("write %s to confirm", v.Repo()))
	}
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo()), nil, nil)
	return frame.Done("/n/"+v.Path("namespace")+"/-/trash", seq, err)
}
