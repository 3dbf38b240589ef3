package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strings"

	"hubledger/services/audit/proof"
	"hubledger/services/audit/tree"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// keyPath is where everybody finds the public keys that verify checkpoints.
const keyPath = "/.well-known/hubledger/checkpoint.vkey"

// static are the routes of C2SP tlog-tiles, without entries, and of the key. They tell how
// many events there are, as every page does, and hashes of what has a random id in it.
func (a *Audit) static() []service.Route {
	return []service.Route{
		{Method: http.MethodGet, Pattern: "/checkpoint", Permission: access.Open, Cost: budget.Read, Serve: a.serveCheckpoint},
		{Method: http.MethodGet, Pattern: "/tile/{tile...}", Permission: access.Open, Cost: budget.Read, Serve: a.serveTile},
		{Method: http.MethodGet, Pattern: "/api/v1/asyncapi.json", Permission: access.Open, Cost: budget.Read, Serve: a.serveAsyncAPI},
		{Method: http.MethodGet, Pattern: keyPath, Permission: access.Open, Cost: budget.Read, Serve: a.serveKeys},
	}
}

func (a *Audit) serveCheckpoint(w http.ResponseWriter, r *http.Request) {
	signed, _, err := a.Signing.Dir.Signed()
	if err != nil {
		a.refuseStatic(w, "the checkpoint", err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(signed)
}

func (a *Audit) serveTile(w http.ResponseWriter, r *http.Request) {
	t, err := tree.ParsePath("tile/" + r.PathValue("tile"))
	if err != nil {
		http.Error(w, "this is not the path of a tile: see C2SP tlog-tiles; events are at /api/v1/events", http.StatusNotFound)
		return
	}
	_, c, err := a.Signing.Dir.Signed()
	if err == nil && !tree.Within(t, c.N) {
		err = fs.ErrNotExist
	}
	var data []byte
	if err == nil {
		data, err = a.Signing.Dir.Tile(t)
	}
	if err != nil {
		a.refuseStatic(w, "the tile", err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(data)
}

func (a *Audit) serveKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := a.Signing.Dir.Keys()
	if err != nil {
		a.refuseStatic(w, "the key", err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	fmt.Fprintln(w, strings.Join(keys, "\n"))
}

func (a *Audit) refuseStatic(w http.ResponseWriter, what string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		http.Error(w, what+" is not there: nothing was signed yet, or not so much", http.StatusNotFound)
		return
	}
	if !a.staticFails.Swap(true) { // once, whoever asks how often
		a.Signing.Logger.Error("what was signed cannot be read", "error", err)
	}
	http.Error(w, what+" cannot be read now", http.StatusServiceUnavailable)
}

type checkpointIn struct{}

func (a *Audit) showCheckpoint(context.Context, *endpoint.Call, *checkpointIn) (*openapi.Answer[apitypes.Checkpoint], error) {
	signed, c, err := a.Signing.Dir.Signed()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, endpoint.Fail(http.StatusNotFound, "nothing was signed yet: ask again in a minute").Because(err)
	}
	if err != nil {
		return nil, err
	}
	keys, err := a.Signing.Dir.Keys()
	if err != nil {
		return nil, err
	}
	by, witnesses, err := a.cosignatures(signed)
	if err != nil {
		return nil, err
	}
	shown := apitypes.Checkpoint{Origin: c.Origin, Events: uint64(c.N), Root: fmt.Sprintf("%x", c.Hash[:]), Signed: string(signed), Keys: keys}
	for _, k := range witnesses {
		shown.Witnesses = append(shown.Witnesses, k.String())
	}
	for _, one := range by {
		shown.Cosignatures = append(shown.Cosignatures, apitypes.Cosignature{Witness: one.Witness, Time: one.Time})
	}
	return openapi.Show(shown), nil
}

func (a *Audit) prove(ctx context.Context, c *endpoint.Call, in *showIn) (func(context.Context, http.ResponseWriter) error, error) {
	one, err := a.Log.One(ctx, c.Principal, in.Event)
	if errors.Is(err, eventlog.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, err.Error()).Because(err)
	}
	if err != nil {
		return nil, err
	}
	p, err := proof.Make(a.Signing.Dir, &one.Event.Event)
	var file *os.PathError
	if errors.Is(err, proof.ErrNotSigned) || errors.As(err, &file) && errors.Is(err, fs.ErrNotExist) {
		return nil, endpoint.Fail(http.StatusConflict, fmt.Sprintf("event %d: %v", one.Seq, proof.ErrNotSigned)).With("Retry-After", "10").Because(err)
	}
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, to http.ResponseWriter) error {
		to.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprintf("event-%d.tlog-proof", one.Seq)}))
		_, err := to.Write(p.Text())
		return err
	}, nil
}
