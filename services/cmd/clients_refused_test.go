package cmd

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What each client prints when people may not do something.
func TestClientsSayWhyTheyAreRefused(t *testing.T) {
	h := startHub(t)
	alice, bob := newUser(t, h, "alice"), newUser(t, h, "bob")
	organizations(t, h, "acme")
	d := dockerOf(t, h, alice)
	dockerBuild(t, d, unique(), h.Addr+"/alice/app:1")
	d.run(t, "push", h.Addr+"/alice/app:1")
	same(t, "visibility of what was pushed", visibility(t, h, "alice/app"), "private")
	for _, flow := range []struct {
		name string
		test func(t *testing.T, h *hubProcess, alice, bob person)
	}{
		{"push", testRefusedPush},
		{"pull", testRefusedPull},
		{"token", testRefusedToken},
		{"robot account", testRobotAccount},
		{"immutable tag", testImmutableTag},
		{"quota", testQuota},
	} {
		t.Run(flow.name, func(t *testing.T) { flow.test(t, h, alice, bob) })
	}
}

// Each client is told the name that would have worked.
func testRefusedPush(t *testing.T, h *hubProcess, alice, _ person) {
	l := newLayout(t, "refused "+unique())
	env := credentialsOf(t, h, alice.name, alice.secret)
	d := dockerOf(t, h, alice)
	dockerBuild(t, d, unique(), h.Addr+"/alice/refused:1")
	s, c, o := skopeo(t), findTool(t, "crane", "task clients"), findTool(t, "oras", "task clients")
	s.env, c.env, o.env = env, env, env
	t.Chdir(filepath.Dir(writeFile(t, filepath.Join(t.TempDir(), "note.txt"), unique())))
	for _, to := range []struct{ repo, says string }{
		{"app", `"app" is a top-level name for administrators; push to ` + h.Addr + "/alice/app"},
		{"bob/app", "you may not push to bob/app; push to " + h.Addr + "/alice/app"},
		{"acme/deep/app", "you may not push to acme/deep/app; push to " + h.Addr + "/alice/deep/app"},
		{"nobody-here/app", "you may not push to nobody-here/app; push to " + h.Addr + "/alice/app"},
	} {
		ref := h.Addr + "/" + to.repo + ":1"
		d.run(t, "tag", h.Addr+"/alice/refused:1", ref)
		d.refused(t, "denied: "+to.says, "push", ref)
		s.refused(t, strings.ReplaceAll(to.says, `"`, `\"`), "copy", "--all", "oci:"+l.dir+":1", "docker://"+ref)
		c.refused(t, "DENIED: "+to.says, "push", l.dir, ref)
		c.refused(t, "DENIED: "+to.says, "copy", h.Addr+"/alice/app:1", ref)
		o.refused(t, "denied: "+to.says, "push", "--plain-http", "--no-tty", ref, "note.txt")
	}
	// Clients do not try these again, as docker does for 50 seconds after NAME_INVALID.
	for _, to := range []struct{ repo, says string }{
		{"users/app", `invalid name: "users" is reserved for the hub's API: use a name that begins with your login name`},
		{"alice/" + strings.Repeat("x", 200), "invalid name: a repository name has at most 200 characters"},
	} {
		ref := h.Addr + "/" + to.repo + ":1"
		d.run(t, "tag", h.Addr+"/alice/refused:1", ref)
		if stdout, stderr, err := d.try("push", ref); err == nil || !strings.Contains(stderr, to.says) || strings.Contains(stdout+stderr, "Retrying") {
			t.Errorf("docker push: %v\n%s%s", err, stdout, stderr)
		}
		s.refused(t, strings.ReplaceAll(to.says, `"`, `\"`), "copy", "--all", "oci:"+l.dir+":1", "docker://"+ref)
		c.refused(t, "NAME_UNKNOWN: "+to.says, "push", l.dir, ref)
		o.refused(t, "name unknown: "+to.says, "push", "--plain-http", "--no-tty", ref, "note.txt")
	}
	d.run(t, "logout", h.Addr)
	d.refused(t, "denied: to push to alice/refused needs a login: docker login "+h.Addr, "push", h.Addr+"/alice/refused:1")
}

// A stranger cannot tell a private repository from a missing one.
func testRefusedPull(t *testing.T, h *hubProcess, alice, bob person) {
	d := dockerOf(t, h, alice)
	dockerBuild(t, d, unique(), h.Addr+"/alice/private:1")
	d.run(t, "push", h.Addr+"/alice/private:1")
	d.run(t, "tag", h.Addr+"/alice/private:1", h.Addr+"/alice/public:1")
	d.run(t, "push", h.Addr+"/alice/public:1")
	publish(t, h, "alice/public")
	crane := findTool(t, "crane", "task clients")
	for _, who := range []struct {
		name string
		env  []string
		says string
	}{
		{"a stranger", credentialsOf(t, h, bob.name, bob.secret), "there is no alice/NAME, or you may not see it"},
		{"nobody", []string{"DOCKER_CONFIG=" + t.TempDir(), "REGISTRY_AUTH_FILE=" + filepath.Join(t.TempDir(), "none")}, "there is no alice/NAME, or it needs a login: docker login " + h.Addr},
	} {
		t.Run(who.name, func(t *testing.T) {
			d, s, c := docker(t, who.env...), skopeo(t), crane
			s.env, c.env = who.env, who.env
			for _, run := range []struct {
				client tool
				args   []string
			}{
				{d, []string{"pull", h.Addr + "/alice/NAME:1"}},
				{s, []string{"inspect", "docker://" + h.Addr + "/alice/NAME:1"}},
				{c, []string{"manifest", h.Addr + "/alice/NAME:1"}},
			} {
				with := func(name string) (stdout, stderr string, err error) {
					args := make([]string, len(run.args))
					for i, a := range run.args {
						args[i] = strings.ReplaceAll(a, "NAME", name)
					}
					return run.client.try(args...)
				}
				private, missing := refusalOf(t, with, "private"), refusalOf(t, with, "missing")
				same(t, "what it prints of a private and of a missing repository", private, missing)
				contains(t, "what it prints", private, who.says)
				if _, stderr, err := with("public"); err != nil {
					t.Fatalf("%s of what is public: %v %s", run.args, err, stderr)
				}
			}
		})
	}
}

var logTime = regexp.MustCompile(`time="[^"]*"|[0-9]{4}/[0-9/]+ [0-9:]+`)

// refusalOf is what a client prints about one repository, without the repository's
// name and the time.
func refusalOf(t *testing.T, run func(string) (string, string, error), name string) string {
	t.Helper()
	stdout, stderr, err := run(name)
	if err == nil {
		t.Fatalf("alice/%s was pulled", name)
	}
	return logTime.ReplaceAllString(strings.ReplaceAll(stdout+stderr, "alice/"+name, "alice/NAME"), "")
}

func testRefusedToken(t *testing.T, h *hubProcess, alice, _ person) {
	reads, _ := alice.token(t, h, "read")
	writes, _ := alice.token(t, h, "write")
	deletes, _ := alice.token(t, h, "delete")
	ref := h.Addr + "/alice/limited:1"
	d := dockerOf(t, h, writes)
	dockerBuild(t, d, unique(), ref)
	d.run(t, "push", ref)
	reader := dockerOf(t, h, reads)
	reader.run(t, "pull", ref)
	reader.refused(t, "denied: the access token does not allow to push to alice/limited", "push", ref)
	c := findTool(t, "crane", "task clients")
	c.env = credentialsOf(t, h, writes.name, writes.secret)
	c.refused(t, "DENIED: the access token does not allow to delete from alice/limited", "delete", ref)
	c.run(t, "digest", ref)
	c.env = credentialsOf(t, h, deletes.name, deletes.secret)
	c.run(t, "delete", ref)
	c.refused(t, "MANIFEST_UNKNOWN", "manifest", ref)
}

func testRobotAccount(t *testing.T, h *hubProcess, _, _ person) {
	admin.does(t, h, "POST", "/api/v1/orgs/acme/robots", object{"name": "ci"})
	ci, _ := admin.newToken(t, h, "/orgs/acme/robots/ci", "acme+ci", object{"name": "pipeline", "level": "write"})
	d, ref := dockerOf(t, h, ci), h.Addr+"/acme/group/tool:1"
	dockerBuild(t, d, unique(), ref)
	d.refused(t, "denied: you may not push to acme/group/tool", "push", ref)
	admin.does(t, h, "PUT", "/api/v1/namespaces/acme/grants/robot/ci", object{"role": "write"})
	d.run(t, "push", ref)
	d.run(t, "rmi", ref)
	d.run(t, "pull", ref)
	d.refused(t, wrongLogin, "login", "-u", "acme+ci", "-p", "a password", h.Addr)
}

func testImmutableTag(t *testing.T, h *hubProcess, alice, _ person) {
	d, repo := dockerOf(t, h, alice), h.Addr+"/alice/fixed"
	dockerBuild(t, d, unique(), repo+":v1")
	d.run(t, "push", repo+":v1")
	alice.does(t, h, "PUT", "/api/v1/repositories/alice/fixed/policy", object{"immutableTags": []string{"v.*"}, "sparseIndexes": false})
	d.run(t, "push", repo+":v1") // the same image
	dockerBuild(t, d, unique(), repo+":v1")
	d.refused(t, "tag v1 of alice/fixed is immutable and names sha256:", "push", repo+":v1")
	d.run(t, "tag", repo+":v1", repo+":latest")
	d.run(t, "push", repo+":latest")
}

func testQuota(t *testing.T, h *hubProcess, _, bob person) {
	admin.does(t, h, "PUT", "/api/v1/namespaces/bob/quota", object{"bytes": 1000, "images": 0})
	d, ref := dockerOf(t, h, bob), h.Addr+"/bob/large:1"
	dockerBuild(t, d, unique(), ref)
	d.refused(t, "denied: the quota of bob is used up: ", "push", ref)
	if r := bob.ask(t, h, "GET", "/v2/bob/large/manifests/1", nil); r.status != http.StatusNotFound {
		t.Fatalf("the image that was refused is there: %d", r.status)
	}
}

func TestPullLimit(t *testing.T) {
	h := startHub(t, "--pull-limit-anonymous", "2", "--default-visibility", "public")
	alice := newUser(t, h, "alice")
	d, repo := dockerOf(t, h, alice), h.Addr+"/alice/app:"
	for _, tag := range []string{"1", "2", "3"} {
		dockerBuild(t, d, unique(), repo+tag)
		d.run(t, "push", repo+tag)
		d.run(t, "rmi", repo+tag)
	}
	same(t, "visibility of what was pushed", visibility(t, h, "alice/app"), "public")
	remaining := func(want string) {
		t.Helper()
		for range 3 { // a HEAD counts for nothing
			r := person{}.ask(t, h, "HEAD", "/v2/alice/app/manifests/1", nil, "Accept", manifestTypes[0])
			same(t, "answer to a HEAD", r.status, http.StatusOK)
			same(t, "ratelimit-limit", r.header.Get("ratelimit-limit"), "2;w=21600")
			same(t, "ratelimit-remaining", r.header.Get("ratelimit-remaining"), want)
		}
	}
	d.run(t, "logout", h.Addr)
	remaining("2;w=21600")
	d.run(t, "pull", repo+"1")
	remaining("1;w=21600")
	d.run(t, "pull", repo+"2")
	remaining("0;w=21600")
	d.refused(t, "toomanyrequests: you have reached your pull limit of 2 in 6h0m0s", "pull", repo+"3")
	c := findTool(t, "crane", "task clients")
	c.env = []string{"DOCKER_CONFIG=" + t.TempDir()}
	c.refused(t, "TOOMANYREQUESTS", "manifest", repo+"3")
	alice.login(t, h, d) // the limit is nobody's only
	d.run(t, "pull", repo+"3")
}
