package builder

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

// A buildState is what a badge says of the builds of a repository.
type buildState struct {
	text   string
	colour string // of its half: white text on it has a contrast of 4.5 at least
	hub    string // what Docker Hub called it
}

var (
	passing = buildState{"passing", "#17692f", "Success"}
	failing = buildState{"failing", "#b3261e", "Failed"}
	working = buildState{"building", "#8a5300", "Building"}
	unbuilt = buildState{"no builds", "#59636e", "Empty"}
)

// looksBack is how many builds are looked at for one that says something.
const looksBack = 50

// stateOf is that of the latest builds which push: the latest that ended for a reason of
// its own decides, or what runs when there is none.
func (s *Builder) stateOf(ctx context.Context, repository string) (buildState, error) {
	latest, err := s.Read.Builds(ctx, repository, 0, looksBack)
	state := unbuilt
	for _, b := range latest {
		switch {
		case b.Test:
		case b.State != builds.Ended:
			state = working
		case b.End.Outcome == events.BuildSucceeded:
			return passing, nil
		case b.End.Outcome == events.BuildFailed, b.End.Outcome == events.BuildGivenUp:
			return failing, nil
		}
	}
	return state, err
}

func (s *Builder) badge(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (func(context.Context, http.ResponseWriter) error, error) {
	state, err := s.stateOf(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, to http.ResponseWriter) error {
		to.Header().Set("Cache-Control", "no-cache")                                       // sites that show it ask again
		to.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'none'") // nothing in it can run
		_, err := to.Write(badgeOf(state))
		return err
	}, nil
}

// badgeOf draws a badge: "build" on the left, the state on the right.
func badgeOf(state buildState) []byte {
	const label, glyph, pad = 42, 7, 16 // widths: of the left half, of a character and of the margins
	width := label + glyph*len(state.text) + pad
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="build: %[2]s"><title>build: %[2]s</title>`+
		`<rect width="%[1]d" height="20" rx="3" fill="#3a424a"/><path fill="%[3]s" d="M%[4]d 0h%[5]da3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H%[4]dz"/>`+
		`<g fill="#fff" text-anchor="middle" font-family="system-ui,sans-serif" font-size="12"><text x="%[6]d" y="14">build</text><text x="%[7]d" y="14">%[2]s</text></g></svg>`+"\n",
		width, state.text, state.colour, label, width-label-3, label/2, label+(width-label)/2)
}

// hubState answers as Docker Hub did where badges of other sites ask: with no objects for
// a repository that is not there or that the caller may not see.
func (s *Builder) hubState(w http.ResponseWriter, r *http.Request) {
	type object struct {
		Image string `json:"image"`
		State string `json:"state"`
	}
	var answer struct {
		Objects []object `json:"objects"`
	}
	answer.Objects = []object{}
	ctx := r.Context()
	if name, err := repository.ParseName(r.URL.Query().Get("image")); err == nil {
		d, err := s.API.Rights.Repository(ctx, endpoint.CallOf(ctx).Principal, name.Full)
		var state buildState
		if err == nil && d.Repository != nil && d.Level >= access.Read {
			state, err = s.stateOf(ctx, d.Repository.ID)
			answer.Objects = append(answer.Objects, object{name.Full, state.hub})
		}
		if err != nil {
			s.API.Problem(ctx, r.Pattern, err).Write(w, r)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}
