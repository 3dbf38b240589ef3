package people

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A tokensPage has the access tokens of a user or a robot account.
type tokensPage struct {
	Owner string
	At    string // address below which each token has its page
	Mine  bool
	Ended bool // it has those that have ended
	List  apitypes.List[apitypes.Token]
}

// goodTokens are all tokens of that kind, "" for all, that are good: there are at most
// account.MaxTokens.
func goodTokens(v *frame.Visit, kind string, owner ...string) (all []apitypes.Token, err error) {
	q := url.Values{"state": {"good"}, "limit": {"100"}}
	if kind != "" {
		q.Set("kind", kind)
	}
	for {
		list, err := frame.Get[apitypes.List[apitypes.Token]](v, frame.Path(append(owner, "tokens")...), q)
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		next, err := url.Parse(list.Next)
		if err != nil || list.Next == "" {
			return all, err
		}
		q.Set("cursor", next.Query().Get("cursor"))
	}
}

func tokensOf(v *frame.Visit, owner, at string, api ...string) (tokensPage, error) {
	p := tokensPage{Owner: owner, At: at, Mine: owner == v.Me(), Ended: v.Query("tokens") == "ended"}
	q := v.Paged()
	q.Set("kind", "access")
	q.Set("state", map[bool]string{false: "good", true: "ended"}[p.Ended])
	var err error
	p.List, err = frame.Get[apitypes.List[apitypes.Token]](v, frame.Path(append(api, "tokens")...), q)
	return p, err
}

func userAt(name string) string { return "/users/" + url.PathEscape(name) }

func showTokens(v *frame.Visit) (any, error) {
	return tokensOf(v, v.Path("user"), userAt(v.Path("user"))+"/tokens", "users", v.Path("user"))
}

// createToken makes a token and shows its secret on the page, this once.
func createToken(v *frame.Visit) (string, error) { return "", issue(v, "users", v.Path("user")) }

func issue(v *frame.Visit, owner ...string) error {
	want, err := wantedToken(v.Sent, time.Now())
	if err != nil {
		return err
	}
	var made apitypes.IssuedToken
	if _, err := v.Send(http.MethodPost, frame.Path(append(owner, "tokens")...), want, &made); err != nil {
		return err
	}
	v.Made, v.Sent = made, nil
	return nil
}

// wantedToken is the request that a form with a token's name, level, repositories and
// expiry asks for.
func wantedToken(sent url.Values, now time.Time) (apitypes.TokenRequest, error) {
	want := apitypes.TokenRequest{Name: strings.TrimSpace(sent.Get("name")), Level: sent.Get("level"), Repositories: strings.Fields(sent.Get("repositories"))}
	days, known := map[string]int{"": 0, "never": 0, "7 days": 7, "30 days": 30, "90 days": 90, "1 year": 365}[sent.Get("expires")]
	if !known {
		return want, endpoint.Invalid("body.expires", "choose when it expires")
	}
	if days > 0 {
		at := now.AddDate(0, 0, days).UTC().Truncate(time.Second)
		want.Expires = &at
	}
	return want, nil
}

type tokenPage struct {
	Owner string
	Back  string
	Token apitypes.Token
}

func showToken(v *frame.Visit) (any, error) {
	return oneToken(v, v.Path("user"), userAt(v.Path("user"))+"/tokens", "users", v.Path("user"))
}

func oneToken(v *frame.Visit, owner, back string, api ...string) (any, error) {
	all, err := goodTokens(v, "", api...)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ID == v.Path("token") {
			return tokenPage{owner, back, t}, nil
		}
	}
	return nil, endpoint.NotFound()
}

func revokeToken(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("users", v.Path("user"), "tokens", v.Path("token")), nil, nil)
	return frame.Done(userAt(v.Path("user"))+"/tokens", seq, err)
}
