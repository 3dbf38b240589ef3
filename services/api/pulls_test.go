package api_test

import (
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry/pulls"
	"hubledger/services/registry/registrytest"
)

// A repository and its tags are shown with the pulls that the log counts and with
// those that it does not count yet.
func TestPullsUpToNow(t *testing.T) {
	k := start(t)
	k.user("alice")
	id := k.repository("alice/app", events.Public)
	k.Client().MustPush(t, "alice/app", "1.0", registrytest.NewImage("x"))
	hour := time.Now().UTC().Truncate(time.Hour)
	logged, latest := hour.Add(-30*time.Minute), hour.Add(time.Minute)
	_, err := command.Append(t.Context(), k.Log(), tester, events.PullsCounted{Node: "0191d1a0-0000-7000-8000-000000000001", From: hour.Add(-time.Hour),
		Repositories: []events.RepositoryPulls{{Repository: id.Repository, Pulls: 3, LastPulled: logged, Tags: []events.TagPulls{{Tag: "1.0", Pulls: 3, LastPulled: logged}}}}}, events.AnySeq)
	check(t, err)
	k.CatchUp()
	check(t, k.Registry().Pulls.Count(t.Context(), []pulls.Pull{{Hour: hour, Repository: id.Repository, Tag: "1.0", N: 2, Latest: latest},
		{Hour: hour, Repository: id.Repository, N: 1, Latest: hour}}))
	type counts struct {
		Pulls      int64
		PullCount  int64 `json:"pull_count"`
		Pulled     time.Time
		LastPulled time.Time `json:"tag_last_pulled"`
	}
	for path, want := range map[string]counts{
		"/api/v1/repositories/alice/app":          {Pulls: 6, Pulled: latest},
		"/api/v1/repositories/alice/app/tags/1.0": {Pulls: 5, Pulled: latest},
		"/v2/repositories/alice/app/":             {PullCount: 6},
		"/v2/repositories/alice/app/tags/1.0":     {LastPulled: latest},
	} {
		var got counts
		if k.do("", "GET", path, nil).want(200).into(&got); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	// An index is pulled when an image of it is, by digest.
	arm := k.Client().MustPush(t, "alice/app", "", registrytest.NewImage("arm64"))
	amd := k.Client().MustPush(t, "alice/app", "", registrytest.NewImage("amd64"))
	k.Client().MustPush(t, "alice/app", "all", registrytest.NewIndex(arm, amd))
	check(t, k.Registry().Pulls.Count(t.Context(), []pulls.Pull{{Hour: hour, Repository: id.Repository, Digest: arm.Digest(), N: 1, Latest: latest}}))
	var index struct {
		counts
		Images []struct {
			Digest     string
			LastPulled time.Time `json:"last_pulled"`
		}
	}
	k.do("", "GET", "/v2/repositories/alice/app/tags/all", nil).want(200).into(&index)
	if !index.LastPulled.Equal(latest) || len(index.Images) != 2 || index.Images[0].Digest != arm.Digest().String() ||
		!index.Images[0].LastPulled.Equal(latest) || !index.Images[1].LastPulled.IsZero() {
		t.Errorf("the index %+v", index)
	}
	k.do("alice", "DELETE", "/api/v1/repositories/alice/app/tags/all", nil).want(200)
	var list struct{ Items, Results []counts }
	k.do("", "GET", "/api/v1/repositories/alice/app/tags", nil).want(200).into(&list)
	k.do("", "GET", "/v2/repositories/alice/app/tags", nil).want(200).into(&list)
	if list.Items[0].Pulls != 5 || !list.Results[0].LastPulled.Equal(latest) {
		t.Errorf("lists %+v", list)
	}
}
