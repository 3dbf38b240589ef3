package api_test

import (
	"testing"

	"hubledger/events"
)

// To say what is so already makes no event.
func TestNothingNewIsNotWritten(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.repository("alice/app", events.Private)
	const repo, docker = "/api/v1/repositories/alice/app", "/v2/repositories/alice/app"
	writes := []struct {
		method, path string
		body         any
	}{
		{"PATCH", repo, object{"description": " one line ", "readme": "# App", "topics": []string{"b", "a", "b"}}},
		{"PATCH", repo, object{"description": "one line"}},
		{"PATCH", docker, object{"full_description": "# App"}},
		{"PATCH", repo, object{"visibility": "public"}},
		{"POST", docker + "/privacy", object{"is_private": false}},
		{"PUT", repo + "/policy", object{"immutableTags": []string{"v.*"}, "sparseIndexes": true}},
		{"PUT", repo + "/cleanup", object{"keepLast": 3, "keepTags": []string{}}},
		{"PUT", repo + "/star", nil},
	}
	for _, w := range writes {
		k.do("alice", w.method, w.path, w.body).want(200)
	}
	before := k.LastSeq()
	for range 2 {
		for _, w := range writes {
			if a := k.do("alice", w.method, w.path, w.body).want(200); a.Header().Get("Hubledger-Sequence") == "" {
				t.Errorf("%s %s: no sequence", w.method, w.path)
			}
		}
	}
	if after := k.LastSeq(); after != before {
		t.Errorf("%d events", after-before)
	}
	k.do("alice", "PATCH", repo, object{"topics": []string{"a"}}).want(200)
	k.do("alice", "PATCH", repo, object{"visibility": "private"}).want(200)
	k.do("alice", "PUT", repo+"/policy", object{"immutableTags": []string{}, "sparseIndexes": true}).want(200)
	if after := k.LastSeq(); after != before+3 {
		t.Errorf("%d events for three changes", after-before)
	}
}
