package hoststatus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

// A Refused is an answer by which a git host does not take a status.
type Refused struct {
	Code  int       // status of HTTP
	Why   string    // as the host says; "" when it does not
	Do    string    // what to do about it, "" for to wait
	Token bool      // it is about the token: another request with it gets the same answer
	Until time.Time // when the host wants to be asked again; zero when it does not say
}

func (e *Refused) Error() string {
	text := fmt.Sprintf("it answers %d", e.Code)
	if e.Why != "" {
		text += ": " + e.Why
	}
	if e.Do != "" {
		text += "; " + e.Do
	}
	return text
}

// scopes are what a token must be good for.
var scopes = map[string]string{
	events.HostGitHub:          "the token needs the scope repo:status, or if it is a fine-grained one the permission Commit statuses: write, for this repository",
	events.HostGitLab:          "the token needs the scope api, and at least the role Developer in the project",
	events.HostGitea:           "the token needs the permission write:repository, and its user has to be one who may write to the repository",
	events.HostBitbucket:       "the token needs the permission to write to the repository (repository:write)",
	events.HostBitbucketServer: "the token needs the permission Repository: read, and its user has to be one who may read the repository",
}

// refusal reads an answer. It is nil when the host only says that it knows already.
func refusal(kind string, resp *http.Response, answer []byte, with Token, state State) error {
	e := &Refused{Code: resp.StatusCode, Why: said(answer, with), Until: until(resp.Header, time.Now())}
	limited := resp.StatusCode == http.StatusTooManyRequests ||
		resp.StatusCode == http.StatusForbidden && (!e.Until.IsZero() || strings.Contains(strings.ToLower(e.Why), "rate limit"))
	switch {
	case limited:
		if e.Until.IsZero() {
			e.Until = time.Now().Add(time.Minute) // what GitHub asks for then
		}
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		e.Token, e.Do = true, scopes[kind]
	case resp.StatusCode == http.StatusNotFound: // what hosts also say to those who may not know
		e.Do = scopes[kind]
	case kind == events.HostGitLab && resp.StatusCode == http.StatusBadRequest && known(e.Why, state):
		return nil
	}
	return e
}

// known says whether GitLab has refused a status because it is at that one, or behind one
// that is not an end: it does not go back from running to pending. The answer is "Cannot
// transition status via :enqueue from :running".
func known(why string, state State) bool {
	_, from, ok := strings.Cut(why, "Cannot transition status via ")
	if !ok {
		return false
	}
	if !state.Final() {
		return strings.Contains(from, "from :pending") || strings.Contains(from, "from :running")
	}
	return strings.Contains(from, "from :"+words[events.HostGitLab][state])
}

const maxWhy = 200 // bytes

// said is what an answer says, in one line: each host has the text elsewhere.
func said(answer []byte, with Token) string {
	var d struct {
		Message json.RawMessage `json:"message"` // GitHub, Gitea: a text; GitLab: a text, or lists by field
		Error   json.RawMessage `json:"error"`   // GitLab: a text; Bitbucket Cloud: an object
		Errors  json.RawMessage `json:"errors"`  // Bitbucket Data Center: a list of objects
	}
	if json.Unmarshal(answer, &d) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{d.Message, d.Error, d.Errors} {
		if text := textOf(raw); text != "" {
			text = plaintext.Line(masked(text, with.Secret))
			if len(text) > maxWhy {
				text = strings.ToValidUTF8(text[:maxWhy], "") + "…"
			}
			return text
		}
	}
	return ""
}

func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var one struct{ Message string }
	if json.Unmarshal(raw, &one) == nil && one.Message != "" {
		return one.Message
	}
	var list []struct{ Message string }
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0].Message
	}
	return string(raw)
}

// until is when a host wants to be asked again: Retry-After (RFC 9110), or when a limit is
// used up the time at which it begins anew (GitHub: X-RateLimit-, GitLab: RateLimit-).
func until(h http.Header, now time.Time) time.Time {
	if after := h.Get("Retry-After"); after != "" {
		if seconds, err := strconv.ParseInt(after, 10, 32); err == nil && seconds >= 0 {
			return now.Add(time.Duration(seconds) * time.Second)
		}
		if at, err := http.ParseTime(after); err == nil {
			return at
		}
	}
	for _, name := range []string{"X-RateLimit-", "RateLimit-"} {
		if h.Get(name+"Remaining") == "0" {
			if at, err := strconv.ParseInt(h.Get(name+"Reset"), 10, 64); err == nil && at > 0 {
				return time.Unix(at, 0)
			}
		}
	}
	return time.Time{}
}
