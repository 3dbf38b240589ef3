package hoststatus

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"hubledger/events"
)

// How long texts may be, in characters: what the documentation of each host says.
const (
	maxGitHub = 140 // description
	maxOther  = 255 // description of others, and the key of Data Center
	maxKey    = 40  // key of Bitbucket Cloud
)

// words are the states as each kind of host calls them. GitHub and Gitea do not tell
// running from pending; Data Center knows no end but two.
var words = map[string]map[State]string{
	events.HostGitHub:          {Pending: "pending", Running: "pending", Success: "success", Failure: "failure", Error: "error", Cancelled: "error"},
	events.HostGitea:           {Pending: "pending", Running: "pending", Success: "success", Failure: "failure", Error: "error", Cancelled: "error"},
	events.HostGitLab:          {Pending: "pending", Running: "running", Success: "success", Failure: "failed", Error: "failed", Cancelled: "canceled"},
	events.HostBitbucket:       {Pending: "INPROGRESS", Running: "INPROGRESS", Success: "SUCCESSFUL", Failure: "FAILED", Error: "FAILED", Cancelled: "STOPPED"},
	events.HostBitbucketServer: {Pending: "INPROGRESS", Running: "INPROGRESS", Success: "SUCCESSFUL", Failure: "FAILED", Error: "FAILED", Cancelled: "FAILED"},
}

// bodyOf is what is posted, as JSON.
func bodyOf(kind string, s Status) map[string]string {
	b := map[string]string{"state": words[kind][s.State], "description": cut(s.Description, maxOther)}
	switch kind {
	case events.HostGitHub, events.HostGitea:
		b["description"] = cut(s.Description, maxGitHub)
		b["context"], b["target_url"] = s.Context, s.URL
	case events.HostGitLab:
		b["name"], b["target_url"] = s.Context, s.URL
		if ref := short(s.Ref); ref != "" {
			b["ref"] = ref
		}
	case events.HostBitbucket:
		b["key"], b["name"], b["url"] = keyOf(s.Context, maxKey), cut(s.Context, maxOther), s.URL
		if ref := short(s.Ref); ref != "" {
			b["refname"] = ref
		}
	case events.HostBitbucketServer:
		b["key"], b["name"], b["url"] = keyOf(s.Context, maxOther), cut(s.Context, maxOther), s.URL
	}
	return b
}

// short is the name of a branch or tag; "" for another ref, which hosts would not find.
func short(ref string) string {
	for _, kind := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(ref, kind); ok {
			return name
		}
	}
	return ""
}

// keyOf is a context where the host takes it whole, or else one that no other context has.
func keyOf(context string, max int) string {
	if len(context) <= max {
		return context
	}
	sum := sha256.Sum256([]byte(context))
	return "hubledger/" + hex.EncodeToString(sum[:15])
}

// cut is the beginning of a text, at most so many characters.
func cut(text string, max int) string {
	if runes := []rune(text); len(runes) > max {
		return string(runes[:max-1]) + "…"
	}
	return text
}
