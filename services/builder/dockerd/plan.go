package dockerd

import (
	"maps"
	"path"
	"slices"
	"strings"

	"hubledger/services/builder/caged"
)

// A plan is what the program inside is told.
type plan struct {
	Dir                 string // of the Dockerfile, where hooks run
	Context, Dockerfile string // paths
	Target              string
	Args, Labels        map[string]string
	Image               string   // with the first tag
	Names               []string // of the image, with each tag
	Cache, Tests, Push  bool
	Env                 []string // of hooks, besides environment
}

func planOf(a *caged.Attempt) plan {
	s := a.Spec
	p := plan{Dockerfile: path.Join(checkout, a.Places.Dockerfile), Context: path.Join(checkout, a.Places.Context), Target: s.Target,
		Args: s.Args, Labels: s.Labels, Image: s.Facts.Repository + ":" + firstTag(s), Cache: s.Cache != "", Tests: s.Facts.Tests, Push: s.Image != ""}
	p.Dir = path.Dir(p.Dockerfile)
	p.Names = []string{p.Image}
	for _, tag := range s.Facts.Tags {
		if name := s.Facts.Repository + ":" + tag; name != p.Image {
			p.Names = append(p.Names, name)
		}
	}
	p.Env = variables(a)
	return p
}

// variables are those of Docker Hub's hooks, behind the build arguments.
func variables(a *caged.Attempt) (env []string) {
	s := a.Spec
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		env = append(env, name+"="+s.Args[name])
	}
	if s.Network {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
			env = append(env, name+"=http://"+caged.ProxyAddress)
		}
		hosts := strings.Join(caged.HostsOf(a.Names), ",")
		env = append(env, "NO_PROXY="+hosts, "no_proxy="+hosts)
	}
	env = append(env, environment...) // arguments do not lead to another engine
	set := func(name, value string) { env = append(env, name+"="+strings.ReplaceAll(value, "\x00", "")) }
	kind, name := "Branch", strings.TrimPrefix(strings.TrimPrefix(s.Facts.Ref, "refs/heads/"), "refs/") // of a pull request pull/1/head
	if tag, ok := strings.CutPrefix(s.Facts.Ref, "refs/tags/"); ok {
		kind, name = "Tag", tag
	}
	tag := firstTag(s)
	set("SOURCE_BRANCH", name)
	set("SOURCE_TYPE", kind)
	set("SOURCE_COMMIT", s.Facts.Commit)
	set("GIT_SHA1", s.Facts.Commit)
	set("COMMIT_MSG", s.Facts.Message)
	set("GIT_MSG", s.Facts.Message)
	set("DOCKER_REPO", s.Facts.Repository)
	set("DOCKERFILE_PATH", relative(a.Places.Context, a.Places.Dockerfile))
	set("BUILD_PATH", path.Join("/", s.Facts.Context))
	set("DOCKER_TAG", strings.Join(s.Facts.Tags, ","))
	set("IMAGE_NAME", s.Facts.Repository+":"+tag)
	cache, push := "", "false"
	if s.Cache != "" {
		cache = tag
	}
	if s.Image != "" {
		push = "true"
	}
	set("CACHE_TAG", cache)
	set("PUSH", push)
	return env
}

// relative is the path of a file from a directory that it may be in.
func relative(dir, file string) string {
	if dir == "." {
		return file
	}
	if rest, ok := strings.CutPrefix(file, dir+"/"); ok {
		return rest
	}
	return file
}
