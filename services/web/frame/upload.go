package frame

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
)

// FileField is the name of the file of a form, which comes last: what stands before it is Visit.Sent.
const FileField = "file"

const (
	// maxFields bounds what stands before a file, in bytes.
	maxFields = 256 << 10
	// idle is how long a browser may send nothing in the middle of a file.
	idle = time.Minute
	// maxDropped bounds what is read of a file that nobody wants, in bytes: a browser shows no answer
	// before it has sent everything.
	maxDropped = 4 << 30
)

func (p Page) changeCost() budget.Cost {
	if p.Upload {
		return budget.Transfer
	}
	return budget.Write
}

// arriving is a body with a read deadline that moves as long as bytes arrive.
type arriving struct {
	io.ReadCloser
	control *http.ResponseController
	set     time.Time
}

func (a *arriving) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(a.set) > idle/10 {
		a.set = now
		a.control.SetReadDeadline(now.Add(idle)) // unsupported only where there is no connection
	}
	return a.ReadCloser.Read(p)
}

// readUpload reads what a form has sent, up to its file.
func (v *Visit) readUpload() error {
	v.Sent = url.Values{}
	v.Request.Body = &arriving{ReadCloser: v.Request.Body, control: http.NewResponseController(v.w)}
	form, err := v.Request.MultipartReader()
	if err != nil {
		return endpoint.Fail(http.StatusUnsupportedMediaType, "a form with a file is sent as multipart/form-data").Because(err)
	}
	for left := int64(maxFields); ; {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return endpoint.Fail(http.StatusBadRequest, "the form cannot be read").Because(err)
		}
		if part.FormName() == FileField {
			v.file = part
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return endpoint.Fail(http.StatusBadRequest, "the form cannot be read").Because(err)
		}
		if left -= int64(len(text)); left < 0 {
			return endpoint.Fail(http.StatusRequestEntityTooLarge, "the fields of a form have at most 256 KiB")
		}
		v.Sent.Add(part.FormName(), string(text))
	}
}

// drop reads what is left of a form.
func (v *Visit) drop() {
	rest := &arriving{ReadCloser: v.Request.Body, control: http.NewResponseController(v.w)} // whatever deadline whoever read it before has left
	io.Copy(io.Discard, io.LimitReader(rest, maxDropped))                                   // fails only when the client went away
}

// Upload pushes the file of the form to the page's repository, as a blob, while it arrives. It has at most so
// many bytes, and check sees the first 512. What is wrong with it stands at FileField.
func (v *Visit) Upload(most int64, check func(begin []byte) error) (digest.Digest, error) {
	if v.file == nil {
		return "", endpoint.Invalid(FileField, "choose a file")
	}
	in := bufio.NewReader(v.file)
	begin, err := in.Peek(512)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", endpoint.Fail(http.StatusBadRequest, "the file did not arrive to its end").Because(err)
	case len(begin) == 0 && v.file.FileName() == "":
		return "", endpoint.Invalid(FileField, "choose a file")
	}
	if err := check(begin); err != nil {
		return "", endpoint.Invalid(FileField, err.Error())
	}
	at := "/v2/" + v.Repo() + "/blobs/uploads/"
	begun, err := v.registry(v.Context(), http.MethodPost, at, nil)
	if err != nil {
		return "", At(FileField, err)
	}
	at = begun.Header().Get("Location")
	sum := digest.SHA256.Digester()
	file := &io.LimitedReader{R: io.TeeReader(in, sum.Hash()), N: most + 1}
	if _, err = v.registry(v.Context(), http.MethodPatch, at, file); err == nil && file.N == 0 {
		err = endpoint.Invalid(FileField, fmt.Sprintf("the file has more than %d MiB", most>>20))
	}
	if err == nil {
		_, err = v.registry(v.Context(), http.MethodPut, at+"?digest="+url.QueryEscape(sum.Digest().String()), nil)
	}
	if err != nil {
		v.registry(context.WithoutCancel(v.Context()), http.MethodDelete, at, nil) // or it goes by itself, in a day
		return "", At(FileField, err)
	}
	return sum.Digest(), nil
}

// heldAnswer is an answer in this process to a part of a request: deadlines are those of the request.
type heldAnswer struct {
	*endpoint.HeldAnswer
	to http.ResponseWriter
}

func (a heldAnswer) Unwrap() http.ResponseWriter { return a.to }

// registry asks the registry, as the visitor. A refusal is a *endpoint.Problem.
func (v *Visit) registry(ctx context.Context, method, target string, body io.Reader) (*endpoint.HeldAnswer, error) {
	r, err := v.request(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		r.Body = http.NoBody
	} else {
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	a := heldAnswer{endpoint.NewHeldAnswer(), v.w}
	v.site.API.ServeHTTP(a, r)
	if a.Status() < 400 {
		return a.HeldAnswer, nil
	}
	var refusal struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(a.Body(), &refusal); err != nil || len(refusal.Errors) == 0 {
		return nil, endpoint.Fail(a.Status(), http.StatusText(a.Status())).Because(err)
	}
	return nil, endpoint.Fail(a.Status(), refusal.Errors[0].Message)
}
