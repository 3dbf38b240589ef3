package builds_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/web/webtest"
)

const repo = "/r/admin/app/-"

// One hub has all that these need, in this order: to make one for each costs more than
// all they do.
func TestPages(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddGit()
	for _, step := range []func(*testing.T, *webtest.Town){whoSeesBuilds, build, simulator, pagesOfBuilds, cancelAndRetry, rules, shownOnce} {
		step(t, town)
	}
}

// Builds are for those who may push; to others there is no such page. Names, logs and
// messages of others are shown as text.
func whoSeesBuilds(t *testing.T, town *webtest.Town) {
	git := town.Git
	for _, path := range []string{"/builds/" + git.Failed, "/builds/" + git.Waiting + "/cancel", repo + "/builds", repo + "/pushes", repo + "/rules", repo + "/rules/end", repo + "/triggers", repo + "/build-secrets",
		repo + "/triggers/" + git.Trigger + "/delete", repo + "/build-secrets/NPM_TOKEN/delete"} {
		town.Admin.Get(path).Is(http.StatusOK).Lacks("<script>alert", "<img src=x")
		town.Bob.Get(path).Is(http.StatusNotFound).Lacks(webtest.Commit[:7])
		if a := town.Nobody.Get(path); a.Status != http.StatusSeeOther && a.Status != http.StatusNotFound {
			t.Errorf("%s for nobody: %d", path, a.Status)
		}
	}
	for _, path := range []string{"/builders", "/builders/big-iron/revoke"} {
		town.Admin.Get(path).Is(http.StatusOK)
		town.Bob.Get(path).Is(http.StatusForbidden)
	}
	town.Admin.Get("/builders/other/revoke").Is(http.StatusNotFound)
	town.Admin.Get(repo + "/triggers/other/delete").Is(http.StatusNotFound)
	town.Nobody.Get("/builds").Leads("/sign-in")
	town.Bob.Get("/builds").Is(http.StatusOK).Says("Link a git repository").Lacks("admin/app")
	// Reading is not enough.
	town.Call(http.MethodPut, "/repositories/admin/app/grants/user/bob", map[string]string{"role": "read"})
	town.Bob.Get(repo + "/builds").Is(http.StatusForbidden)
	town.Bob.Get("/builds/" + git.Failed).Is(http.StatusNotFound)
	town.Bob.Get("/builds").Is(http.StatusOK).Lacks("admin/app")
	town.Call(http.MethodPut, "/repositories/admin/app/grants/user/bob", map[string]string{"role": "write"})
	town.Bob.Get("/builds").Is(http.StatusOK).Says("admin/app", "failed", "waiting")
	town.Bob.Get("/builds?state=failed").Is(http.StatusOK).Says("failed").Lacks("/builds/" + git.Waiting)
	town.Bob.Get("/builds?repository=admin/open").Is(http.StatusOK).Says("No such build")
	town.Bob.Get(repo+"/rules").Is(http.StatusOK).Lacks(`value="save"`, repo+"/triggers", `href="/sources/`)
	town.Bob.Get(repo + "/builds").Is(http.StatusOK).Says("for the git source admin/app").Lacks(`href="/sources/`)
	for _, path := range []string{repo + "/builds", repo + "/rules"} {
		if a := town.Admin.Get(path); !strings.Contains(a.Text, `href="/sources/admin/app"`) {
			t.Errorf("%s does not lead to the git source", path)
		}
	}
	town.Bob.Post(repo+"/rules", "do", "save", "rules", "").Is(http.StatusUnprocessableEntity)
	town.Bob.Get(repo + "/triggers").Is(http.StatusForbidden)
}

// A build's page says what it is, what failed and why, with the lines of the step that
// failed, in the colours of the style sheet.
func build(t *testing.T, town *webtest.Town) {
	git := town.Git
	a := town.Admin.Get("/builds/" + git.Failed).Is(http.StatusOK)
	a.Says("failed", "it says "+webtest.Hostile, "RUN echo "+webtest.Hostile, "last", "branch")
	for _, want := range []string{`<span class="sgr-red">red `, `href="#L4"`, `/log/raw"`, `<details open id="step-2">`, `<details id="step-1">`} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	a.Lacks("\x1b", "data-log")
	town.Admin.Get("/builds/" + git.Failed + "?before=2").Is(http.StatusOK).Says("The last lines")
	town.Admin.Get("/builds/"+git.Success).Is(http.StatusOK).Says("What it pushed", "latest", "Made from", "SBOM made by admin/app "+town.App.Digest().String()[:19])
	waiting := town.Admin.Get("/builds/" + git.Waiting).Is(http.StatusOK)
	waiting.Says("It waits: no builder is connected", "place 1 in the queue", "Cancel")
	if !strings.Contains(waiting.Text, `data-log="/api/v1/repositories/admin/app/builds/`+git.Waiting+`/log/live"`) {
		t.Error("the log of a build that waits is not followed")
	}
	town.Admin.Get("/builds/"+git.Pull).Is(http.StatusOK).Says("pull request #7 from a fork, to main", "nothing: it is a test")
	town.Admin.Get("/builds/not-an-id").Is(http.StatusNotFound)
}

func cancelAndRetry(_ *testing.T, town *webtest.Town) {
	at := "/builds/" + town.Git.Waiting
	town.Admin.Post(at, "do", "retry").Is(http.StatusConflict)
	town.Admin.Post(at+"/cancel", "do", "cancel").Leads(at + "")
	town.Admin.Get(at).Is(http.StatusOK).Says("cancelled", "Build again")
	town.Admin.Post(at, "do", "retry").Is(http.StatusSeeOther)
	town.Admin.Get(repo+"/builds").Is(http.StatusOK).Says("waiting", "Badge")
}

// Rules are edited as a file: what is wrong is told with its line and column, what was
// typed stays, and rules that somebody else has changed meanwhile are not lost.
func rules(_ *testing.T, town *webtest.Town) {
	text := func(name string) string {
		return "version: 1\r\nrules:\r\n  - name: " + name + "\r\n    branch: main\r\n    tags: [latest]\r\n"
	}
	page := town.Admin.Get(repo + "/rules").Is(http.StatusOK)
	page.Says("name: main", "git source")
	_, seq, _ := strings.Cut(page.Text, `name="seq" value="`)
	seq, _, _ = strings.Cut(seq, `"`)
	town.Admin.Post(repo+"/rules", "do", "save", "source", "admin/app", "seq", seq, "rules", "version: 1\nrules:\n  - name: UPPER\n    branch: main\n").
		Is(http.StatusUnprocessableEntity).Says("line 3, column", "UPPER", "Save the rules", "Triggers")
	town.Admin.Post(repo+"/rules", "do", "save", "source", "admin/app", "seq", seq, "rules", "").Is(http.StatusUnprocessableEntity).Says("at least one rule")
	town.Admin.Post(repo+"/rules", "do", "save", "source", "nobody/app", "seq", seq, "rules", text("edge")).Is(http.StatusUnprocessableEntity).Says("no git source of that name")
	town.Admin.Post(repo+"/rules", "do", "save", "source", "admin/app", "seq", seq, "rules", text("edge")).Leads(repo + "/rules")
	town.Admin.Get(repo + "/rules").Says("edge")
	town.Admin.Post(repo+"/rules", "do", "save", "source", "admin/app", "seq", seq, "rules", text("late")).Is(http.StatusConflict).Says("late")
	town.Admin.Post(repo+"/rules", "do", "save", "source", "admin/app", "rules", "", "fromFile", "on").Leads(repo + "/rules")
	town.Admin.Get(repo + "/rules").Says("A commit that has .hubledger.yml is built by the rules in it")
	town.Admin.Post(repo+"/rules/end", "do", "end").Leads(repo + "/rules")
	town.Admin.Get(repo + "/rules").Says("There are none yet")
}

// The simulator changes nothing: it says of refs what would be built, and why.
func simulator(t *testing.T, town *webtest.Town) {
	const rules = "version: 1\nrules:\n  - name: tags\n    tag: /^v(.+)$/\n    tags: ['{\\1}']\n"
	before := town.LastSeq()
	town.Admin.Post(repo+"/rules", "do", "simulate", "rules", rules, "refs", "v1.5 other", "kind", "tag").Is(http.StatusOK).
		Says("tag v1.5 would build 1.5, because rule tags", "tag other would build nothing", "name: tags")
	town.Admin.Post(repo+"/rules", "do", "simulate", "rules", rules, "source", "admin/app").Is(http.StatusOK).Says("would build nothing").Lacks("<script>alert")
	town.Admin.Post(repo+"/rules", "do", "import", "paste", "Branch\tmain\tlatest\tDockerfile\t/\ton\ton").Is(http.StatusOK).Says("name: rule-1", "are not saved yet", "Save the rules", "Access")
	town.Admin.Post(repo+"/rules", "do", "import", "paste", webtest.Hostile).Is(http.StatusUnprocessableEntity).Says("no build rules were found").Lacks("<script>alert")
	if after := town.LastSeq(); after != before {
		t.Errorf("%d events", after-before)
	}
}

// The URL of a trigger and the token of a builder are shown once, and the value of a
// secret never.
func shownOnce(_ *testing.T, town *webtest.Town) {
	town.Admin.Post(repo+"/triggers", "do", "create", "name", "").Is(http.StatusUnprocessableEntity)
	town.Admin.Post(repo+"/triggers", "do", "create", "name", "nightly").Is(http.StatusOK).Says("curl -X POST ", "/call/")
	town.Admin.Get(repo + "/triggers").Says("nightly").Lacks("/call/")
	town.Admin.Post(repo+"/triggers/"+town.Git.Trigger+"/delete", "do", "delete").Leads(repo + "/triggers")
	town.Admin.Get(repo + "/triggers").Lacks(town.Git.Trigger)
	town.Admin.Post(repo+"/build-secrets", "do", "set", "name", "bad name", "value", "s3cret").Is(http.StatusUnprocessableEntity).Lacks("s3cret")
	town.Admin.Post(repo+"/build-secrets", "do", "set", "name", "OTHER", "value", "s3cret").Leads(repo + "/build-secrets")
	town.Admin.Get(repo+"/build-secrets").Says("OTHER", "NPM_TOKEN").Lacks("s3cret")
	town.Admin.Post(repo+"/build-secrets/OTHER/delete", "do", "delete").Leads(repo + "/build-secrets")
	town.Admin.Get(repo + "/build-secrets").Lacks("OTHER")
	town.Admin.Post("/builders", "do", "invite", "name", "x").Is(http.StatusConflict).Says("--nats-listen")
	town.Admin.Post("/builders/big-iron/revoke", "do", "revoke").Leads("/builders")
	town.Admin.Get("/builders").Lacks("/builders/big-iron/revoke")
}

// A list of builds has pages, and the address says where one begins.
func pagesOfBuilds(t *testing.T, town *webtest.Town) {
	for range 26 {
		town.Admin.Post("/builds/"+town.Git.Failed, "do", "retry").Is(http.StatusSeeOther)
	}
	first := town.Admin.Get("/builds").Is(http.StatusOK)
	_, next, ok := strings.Cut(first.Text, `href="/builds?cursor=`)
	next, _, _ = strings.Cut(next, `"`)
	if !ok || strings.Count(first.Text, `<td class="name">`) != 25 {
		t.Fatalf("%d builds on the first page", strings.Count(first.Text, `<td class="name">`))
	}
	if second := town.Admin.Get("/builds?cursor=" + next).Is(http.StatusOK); strings.Count(second.Text, `<td class="name">`) != 5 {
		t.Errorf("%d builds on the second", strings.Count(second.Text, `<td class="name">`))
	}
	town.Admin.Get("/builds?state=nonsense").Is(http.StatusUnprocessableEntity)
}

// A page that follows a build shows its lines as the server does, however they come in
// pieces, and when the build changes it does not read its log again.
func TestLiveLog(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	town.AddGit()
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	c.Open("/builds/" + town.Git.Waiting)
	c.Wait(`typeof appendLog === "function" && log !== null`)
	step := 100
	for text, spans := range webtest.Colours {
		want := [][2]string{}
		for _, s := range spans {
			if n := len(want); n > 0 && want[n-1][0] == s.Class {
				want[n-1][1] += s.Text
				continue
			}
			want = append(want, [2]string{s.Class, s.Text})
		}
		for cut := range text {
			step++
			lists, _ := json.Marshal([]string{text[:cut], text[cut:] + "\n"})
			got := webtest.Run(c, chromedp.Evaluate[[][2]string](fmt.Sprintf(`(() => {
				for (const part of %s) appendLog(%d, part);
				const spans = [];
				for (const node of [...log.lastElementChild.childNodes].slice(1)) {
					const look = node.className || "";
					if (spans.length && spans.at(-1)[0] === look) spans.at(-1)[1] += node.textContent;
					else spans.push([look, node.textContent]);
				}
				return spans;
			})()`, lists, step)))
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%q, cut at %d: %q, want %q", text, cut, got, want)
			}
		}
	}
	webtest.Run(c, chromedp.Evaluate[bool](`refresh(), true`))
	c.Wait(`performance.getEntriesByType("resource").some(e => e.name.endsWith("?log=no"))`)
	for _, e := range c.Errors() {
		t.Error(e)
	}
	page := town.Admin.Get("/builds/" + town.Git.Failed)
	if lean := town.Admin.Get("/builds/" + town.Git.Failed + "?log=no").Is(http.StatusOK); strings.Contains(lean.Text, `id="L1"`) || !strings.Contains(page.Text, `id="L1"`) {
		t.Error("the page without its log has lines of it")
	}
}
