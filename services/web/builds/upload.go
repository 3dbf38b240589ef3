package builds

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildcontext"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/repository"
	"hubledger/services/web/frame"
)

type uploadPage struct {
	Repository apitypes.RepositoryDetails
	MostMiB    int
}

func showUpload(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	return uploadPage{r, buildcontext.MaxFile >> 20}, err
}

// buildUpload pushes the file and queues a build of it, as `hubledger build` does.
func buildUpload(v *frame.Visit) (string, error) {
	want := apitypes.BuildUploadRequest{Tags: strings.Fields(strings.ReplaceAll(v.Sent.Get("tags"), ",", " ")), Dockerfile: strings.TrimSpace(v.Sent.Get("dockerfile")),
		Target: strings.TrimSpace(v.Sent.Get("target")), Platforms: strings.Fields(strings.ReplaceAll(v.Sent.Get("platforms"), ",", " ")),
		Autotest: v.Sent.Has("autotest"), SBOM: v.Sent.Has("sbom"), Network: v.Sent.Has("network"), NoCache: v.Sent.Has("noCache"), NoPush: v.Sent.Has("noPush")}
	var err error
	if want.Args, err = values(v, "args"); err != nil {
		return "", err
	}
	if want.Labels, err = values(v, "labels"); err != nil {
		return "", err
	}
	if want.NoPush {
		want.Tags = nil
	} else if len(want.Tags) == 0 {
		return "", endpoint.Invalid("tags", "write at least one tag, such as latest")
	}
	for _, tag := range want.Tags { // before a large file is kept
		if !repository.ValidTag(tag) {
			return "", endpoint.Invalid("tags", fmt.Sprintf("%.150q is no tag: write letters, digits, and . _ - between them", tag))
		}
	}
	sum, err := v.Upload(buildcontext.MaxFile, isTar)
	if err != nil {
		return "", err
	}
	want.Digest = sum.String()
	var queued apitypes.Build
	seq, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "builds"), want, &queued)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("/builds/%s?done=%d", url.PathEscape(queued.ID), seq), nil
}

// values are the lines NAME=VALUE of a field.
func values(v *frame.Visit, field string) (map[string]string, error) {
	all := map[string]string{}
	for line := range strings.Lines(v.Sent.Get(field)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, endpoint.Invalid(field, fmt.Sprintf("%.100q is not NAME=VALUE", line))
		}
		all[name] = value
	}
	return all, nil
}

// isTar says what is wrong with a file that begins so.
func isTar(begin []byte) error {
	const instead = ": pack the directory by tar -czf context.tar.gz -C DIRECTORY ."
	switch {
	case len(begin) == 0:
		return errors.New("the file is empty")
	case bytes.HasPrefix(begin, []byte{0x1f, 0x8b}), len(begin) >= 262 && string(begin[257:262]) == "ustar":
		return nil
	case bytes.HasPrefix(begin, []byte("PK")):
		return errors.New("this is a zip file" + instead)
	case bytes.HasPrefix(begin, []byte("BZh")), bytes.HasPrefix(begin, []byte("\xfd7zXZ")), bytes.HasPrefix(begin, []byte("\x28\xb5\x2f\xfd")):
		return errors.New("it is compressed in another way than by gzip" + instead)
	}
	return errors.New("this is no tar file, also none that is compressed with gzip" + instead)
}
