// Package system is the API of the node itself: how it stands, its read models, its dead
// letters, how it was set up. It is for administrators of the hub.
package system

import (
	"context"
	"net/http"
	"strings"

	"hubledger/projections"
	"hubledger/services/internal/access"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// A Node is the node that answers.
type Node interface {
	Status(ctx context.Context) adminsocket.Status
	Projections(ctx context.Context) ([]adminsocket.Projection, error)
	// StoredBuilds are all builds of read models that are stored.
	StoredBuilds(ctx context.Context) ([]projections.Info, error)
	// SwitchBuild makes another build of a read model live; see readmodel.Switch.
	SwitchBuild(ctx context.Context, name string, back bool) error
	// CompareBuild compares the build of a read model that was prepared with the live one.
	CompareBuild(ctx context.Context, name string) (*projections.Comparison, error)
	// DeadLetters lists those of all managers, or of the one that is named, at most that many.
	DeadLetters(ctx context.Context, manager string, most int) ([]adminsocket.DeadLetter, error)
	// RetryLetters lets dead letters of a manager be tried again, and returns how many there
	// were: the one with that key, or all for "".
	RetryLetters(ctx context.Context, manager, task string) ([]adminsocket.DeadLetter, error)
	// Settings are the options of serve as they are in effect, without secrets.
	Settings() []apitypes.SystemSetting
}

// maxLetters is how many dead letters are shown.
const maxLetters = 100

type projectionIn struct {
	Projection string `path:"projection" maxLength:"100" doc:"Name of the read model"`
	Body       apitypes.SwitchRequest
}

type comparedIn struct {
	Projection string `path:"projection" maxLength:"100" doc:"Name of the read model"`
}

type letterIn struct {
	Manager string `path:"manager" maxLength:"100" doc:"Of the process manager"`
	Body    apitypes.RetryRequest
}

// Done answers what makes no event.
type Done struct{}

// New makes the service.
func New(api *openapi.API, node Node) service.Service {
	api.AddTag("system", "The node that answers: how it stands and how it is set up.")
	openapi.Add(api, openapi.Operation{Method: http.MethodGet, Path: "/system", ID: "get-system", Tag: "system", Permission: access.HubAdmin, Cost: budget.List,
		Summary: "Show the state of the node"}, func(ctx context.Context, _ *endpoint.Call, _ *struct{}) (*openapi.Answer[apitypes.System], error) {
		s, err := show(ctx, node)
		return openapi.Show(s), err
	})
	openapi.Add(api, openapi.Operation{Method: http.MethodPost, Path: "/system/projections/{projection}/switch", ID: "switch-projection", Tag: "system", Permission: access.HubAdmin, Cost: budget.Heavy, Status: http.StatusNoContent,
		Summary: "Switch a read model to another build", About: "Switches to the build that `hubledger projections prepare` made, or back to the previous one."}, func(ctx context.Context, _ *endpoint.Call, in *projectionIn) (*Done, error) {
		if err := node.SwitchBuild(ctx, in.Projection, in.Body.Back); err != nil {
			return nil, endpoint.Fail(http.StatusConflict, err.Error()).Because(err)
		}
		return &Done{}, nil
	})
	openapi.Add(api, openapi.Operation{Method: http.MethodPost, Path: "/system/projections/{projection}/compare", ID: "compare-projection", Tag: "system", Permission: access.HubAdmin, Cost: budget.Heavy,
		Summary: "Compare the prepared build of a read model with the live one", About: "Compares both at the same event, by their named queries, within a minute."}, func(ctx context.Context, _ *endpoint.Call, in *comparedIn) (*openapi.Answer[apitypes.SystemComparison], error) {
		c, err := node.CompareBuild(ctx, in.Projection)
		if err != nil {
			return nil, endpoint.Fail(http.StatusConflict, err.Error()).Because(err)
		}
		return openapi.Show(compared(c)), nil
	})
	openapi.Add(api, openapi.Operation{Method: http.MethodPost, Path: "/system/dead-letters/{manager}/retry", ID: "retry-dead-letter", Tag: "system", Permission: access.HubAdmin, Cost: budget.Write, Status: http.StatusNoContent,
		Summary: "Retry a dead letter"}, func(ctx context.Context, _ *endpoint.Call, in *letterIn) (*Done, error) {
		if _, err := node.RetryLetters(ctx, in.Manager, in.Body.Task); err != nil {
			return nil, endpoint.Fail(http.StatusConflict, err.Error()).Because(err)
		}
		return &Done{}, nil
	})
	return service.Service{Name: "system", Routes: api.Routes()}
}

func show(ctx context.Context, node Node) (apitypes.System, error) {
	st := node.Status(ctx)
	s := apitypes.System{Ready: st.Ready, ReadOnly: st.ReadOnly, Services: st.Services, Problems: []apitypes.SystemProblem{},
		Log:         apitypes.SystemLog{Events: st.Events, Bytes: st.LogBytes, Generation: st.Generation},
		Blobs:       apitypes.SystemBlobs{Count: st.Blobs, Bytes: st.BlobBytes, Left: st.Left},
		Projections: []apitypes.SystemProjection{}, Managers: []apitypes.SystemManager{}, DeadLetters: []apitypes.SystemDeadLetter{}, Settings: node.Settings()}
	for _, p := range st.Problems {
		s.Problems = append(s.Problems, apitypes.SystemProblem{What: p.What, Detail: p.Detail, Advice: p.Advice, Blocks: p.Blocks})
	}
	for _, m := range st.Managers {
		s.Managers = append(s.Managers, apitypes.SystemManager{Name: m.Name, Leading: m.Leading, Due: m.Due, Dead: m.Dead, LastError: m.LastError})
	}
	letters, err := node.DeadLetters(ctx, "", maxLetters)
	if err != nil {
		return s, err
	}
	for _, l := range letters {
		s.DeadLetters = append(s.DeadLetters, apitypes.SystemDeadLetter{Manager: l.Manager, Task: l.Task, Cause: l.Cause, Attempts: l.Attempts, Since: l.Since, Error: l.Error})
	}
	s.Projections, err = readModels(ctx, node)
	return s, err
}

func readModels(ctx context.Context, node Node) ([]apitypes.SystemProjection, error) {
	live, err := node.Projections(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := node.StoredBuilds(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]apitypes.SystemProjection, 0, len(live))
	for _, p := range live {
		shown := apitypes.SystemProjection{Name: p.Name, Version: p.Version, Position: p.Position, Lag: p.Lag, Parked: len(p.Parked), Builds: []apitypes.SystemBuild{}}
		for _, b := range stored {
			if b.Name == p.Name {
				shown.Builds = append(shown.Builds, apitypes.SystemBuild{Version: b.Version, Build: word(b.Build), Position: b.Position, Bytes: b.Size})
			}
		}
		list = append(list, shown)
	}
	return list, nil
}

// maxAnswer bounds what is shown of an answer, in bytes.
const maxAnswer = 500

func compared(c *projections.Comparison) apitypes.SystemComparison {
	cut := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxAnswer)], "\uFFFD") }
	shown := apitypes.SystemComparison{Position: c.Position, Answers: c.Results, Differences: []apitypes.SystemDifference{}}
	for _, d := range c.Differences {
		shown.Differences = append(shown.Differences, apitypes.SystemDifference{Query: d.Query, Key: cut(d.Key), Live: cut(d.Live), Next: cut(d.Next)})
	}
	return shown
}

func word(b projections.Build) string {
	return map[projections.Build]string{projections.Live: "live", projections.Next: "prepared", projections.Prev: "previous"}[b]
}
