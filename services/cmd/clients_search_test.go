package cmd

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
)

// docker search and podman search find only what the caller may see.
func TestClientsSearch(t *testing.T) {
	h := startHub(t)
	alice, bob := newUser(t, h, "alice"), newUser(t, h, "bob")
	images := registrytest.NewClient(asURL(h, admin))
	defer images.Close()
	for _, repo := range []string{"whale", "alice/whale-watch", "alice/group/narwhale", "bob/whale-song", "bob/ship"} {
		if err := images.Push(repo, "1", registrytest.NewImage(repo)); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, h, "library/whale")
	publish(t, h, "bob/whale-song")
	admin.does(t, h, "PATCH", "/api/v1/repositories/bob/whale-song", object{"description": "sung below the sea"})
	seen := map[string][]string{
		"alice":  {"alice/group/narwhale", "alice/whale-watch", "bob/whale-song", "whale"},
		"bob":    {"bob/whale-song", "whale"},
		"nobody": {"bob/whale-song", "whale"},
	}
	reads, _ := alice.token(t, h, "read")
	limited, _ := alice.newToken(t, h, "/users/alice", "alice", object{"name": "one", "level": "read", "repositories": []string{"alice/whale-watch"}})
	seen["limited"] = []string{"alice/whale-watch"}
	for _, who := range []struct {
		name string // of what they see
		by   person
	}{{"alice", alice}, {"alice", reads}, {"limited", limited}, {"bob", bob}, {"nobody", person{}}} {
		t.Run(who.name, func(t *testing.T) {
			d := docker(t)
			podman := podmanOf(t, h, who.by)
			if who.by.name != "" {
				who.by.login(t, h, d)
			}
			official := map[string]bool{}
			for line := range strings.Lines(d.run(t, "search", "--format", "{{.Name}} {{.IsOfficial}}", h.Addr+"/whale") + "\n") {
				name, mark, _ := strings.Cut(strings.TrimSpace(line), " ")
				official[name] = mark != "" && mark != "false"
			}
			found := []string{}
			for name, marked := range official {
				found = append(found, name)
				same(t, name+" is official", marked, name == "whale")
			}
			sameNames(t, "docker search", found, seen[who.name])
			if d.run(t, "search", "--format", "{{.Name}}", h.Addr+"/no-such-thing-anywhere") != "" {
				t.Error("docker search finds what is not there")
			}
			sameNames(t, "podman search", namesIn(podman.run(t, "search", "--tls-verify=false", "--format", "{{.Name}}", h.Addr+"/whale"), h), seen[who.name])
		})
	}
	d := dockerOf(t, h, bob)
	_, identity, _ := configOf(t, d, h)
	if !strings.HasPrefix(identity, "hlt_") {
		t.Fatalf("docker search was not asked with an identity token: %q", identity)
	}
	contains(t, "description", d.run(t, "search", "--no-trunc", h.Addr+"/whale-song"), "sung below the sea")
}

// podmanOf is podman with a login, or without.
func podmanOf(t *testing.T, h *hubProcess, p person) tool {
	t.Helper()
	podman := findTool(t, "podman", "apt install podman")
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "auth.json"), "{}")
	podman.env = []string{"REGISTRY_AUTH_FILE=" + file, "DOCKER_CONFIG=" + dir, "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	podman.args = []string{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--storage-driver", "vfs"}
	if p.name != "" {
		podman.refused(t, "invalid username/password", "login", "--tls-verify=false", "-u", p.name, "-p", "wrong password", h.Addr)
		podman.run(t, "login", "--tls-verify=false", "-u", p.name, "-p", p.secret, h.Addr)
	}
	return podman
}

func namesIn(lines string, h *hubProcess) []string {
	names := []string{}
	for line := range strings.Lines(lines + "\n") {
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, strings.TrimPrefix(line, h.Addr+"/"))
		}
	}
	return names
}

func sameNames(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s found %q, want %q", what, got, want)
	}
}
