package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	src "hubledger/services/internal/source"
)

// How many moves a delivery shows, and how many of its refs a list does.
const maxMoves, maxListedRefs = 100, 5

// DeliveryPath names a webhook of a source.
type DeliveryPath struct {
	SourcePath
	Seq uint64 `path:"seq" minimum:"1" maximum:"9007199254740991" doc:"Sequence of its event in the log"`
}

type deliveriesIn struct {
	SourcePath
	openapi.Paging
}

// A hookBody is the body of a webhook as it was received.
type hookBody struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition" doc:"A browser does not show it: it is not ours"`
	Body        []byte
}

func (s *Sources) registerDeliveries(one string) {
	deliveries := one + "/deliveries"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: deliveries, ID: "list-deliveries", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.List,
		Summary: "List the webhooks that a git source has received", About: "The latest comes first."}, s.deliveries)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: deliveries + "/{seq}", ID: "get-delivery", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.Read,
		Summary: "Show a webhook and its result"}, s.delivery)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: deliveries + "/{seq}/body", ID: "get-delivery-body", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.Read,
		Summary: "Get the body of a webhook as it was received", About: "Bodies are kept for a limited time: 410 after that."}, s.deliveryBody)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: deliveries + "/{seq}/redeliver", ID: "redeliver", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.Write, Status: http.StatusAccepted,
		Summary: "Look at the refs of a git source again because of a webhook", About: "Records refs that moved in the meantime as caused by that webhook. The answer comes at once."}, s.redeliver)
}

func shownDelivery(d builds.Delivery) apitypes.HookDelivery {
	v := apitypes.HookDelivery{Seq: d.Seq, Delivery: d.Delivery, Event: d.Kind, Ping: d.Ping, Refs: make([]apitypes.HookRef, len(d.Refs)), More: d.More, Repository: d.Repository,
		Headers: d.Headers, Digest: d.Digest, Size: d.Size, Received: d.Received, Redelivered: d.Again, Moved: d.Moved}
	if d.Pull != nil {
		said := apitypes.HookPullRequest(*d.Pull)
		v.PullRequest = &said
	}
	for k, r := range d.Refs {
		v.Refs[k] = apitypes.HookRef(r)
	}
	if v.Headers == nil {
		v.Headers = map[string]string{}
	}
	return v
}

func (s *Sources) deliveries(ctx context.Context, c *endpoint.Call, in *deliveriesIn) (*openapi.List[apitypes.HookDelivery], error) {
	of, _, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Deliveries(ctx, of.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.HookDelivery, len(all))
	for k, d := range all {
		v := shownDelivery(d)
		if more := len(v.Refs) - maxListedRefs; more > 0 {
			v.Refs, v.More = v.Refs[:maxListedRefs], v.More+more
		}
		views[k] = v
	}
	return openapi.Page(c, views, in.Limit, func(last apitypes.HookDelivery) string {
		return openapi.CursorAtSequence(last.Seq)
	}), nil
}

// findDelivery is the webhook that the path names. ErrNoDelivery.
func (s *Sources) findDelivery(ctx context.Context, c *endpoint.Call, in *DeliveryPath) (*builds.Source, *builds.Delivery, error) {
	of, _, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, nil, err
	}
	d, err := s.Read.Delivery(ctx, of.ID, in.Seq)
	if errors.Is(err, builds.ErrNotFound) {
		return nil, nil, src.ErrNoDelivery
	}
	return of, d, err
}

func (s *Sources) delivery(ctx context.Context, c *endpoint.Call, in *DeliveryPath) (*openapi.Answer[apitypes.HookDelivery], error) {
	of, d, err := s.findDelivery(ctx, c, in)
	if err != nil {
		return nil, err
	}
	moves, err := s.Read.Moves(ctx, of.ID, d.Event, maxMoves)
	if err != nil {
		return nil, err
	}
	view := shownDelivery(*d)
	for _, m := range moves {
		view.Moves = append(view.Moves, apitypes.HookMove(m))
	}
	return openapi.Show(view), nil
}

func (s *Sources) deliveryBody(ctx context.Context, c *endpoint.Call, in *DeliveryPath) (*hookBody, error) {
	of, d, err := s.findDelivery(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if s.Bodies == nil {
		return nil, errNoSecrets
	}
	if err := budget.Of(ctx).Hold(2 * d.Size); err != nil {
		return nil, err
	}
	body, err := s.Bodies.Get(ctx, of.ID, digest.Digest(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, endpoint.Fail(http.StatusGone, "the body of this webhook is not kept any more").Because(err)
	}
	return &hookBody{"application/octet-stream", fmt.Sprintf("attachment; filename=webhook-%d", d.Seq), body}, err
}

func (s *Sources) redeliver(ctx context.Context, c *endpoint.Call, in *DeliveryPath) (*openapi.Answer[apitypes.Source], error) {
	of, d, err := s.findDelivery(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if err := s.sweeps.ask(ctx, of.ID, d.Event); err != nil {
		return nil, err
	}
	return s.get(ctx, c, &in.SourcePath)
}

// latestRefusal is what was refused lately: on this node since the period began, or
// in the latest period that is in the log.
func (s *Sources) latestRefusal(ctx context.Context, source string) (*apitypes.HooksRefused, error) {
	f := s.refused.now(source)
	if f == nil {
		var err error
		if f, err = s.Read.LatestRefusal(ctx, source); errors.Is(err, builds.ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	view := apitypes.HooksRefused(*f)
	return &view, nil
}
