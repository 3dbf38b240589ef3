package driver

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	good := Spec{ID: "0199d6a5-3c00-7000-8000-000000000120-1", Checkout: "/x", Target: "final_stage-2", Image: "127.0.0.1:5050/alice/app", Cache: "buildcache",
		Platforms: []string{"linux/amd64", "linux/arm64/v8"}, Args: map[string]string{"A_1": "x=y,z"}, Labels: map[string]string{"org.example.a": ""},
		Secrets: map[string][]byte{"npm.token": nil}, Limits: Limits{Memory: 1 << 20}}
	s := good
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	want := DefaultLimits
	want.Memory = 1 << 20
	if s.Limits != want {
		t.Errorf("%+v", s.Limits)
	}
	for what, change := range map[string]func(s *Spec){
		"id of a build":  func(s *Spec) { s.ID = "../x" },
		"the id":         func(s *Spec) { s.ID = "" },
		"at most 64":     func(s *Spec) { s.ID = strings.Repeat("a", 65) },
		"stage":          func(s *Spec) { s.Target = "-x" },
		"no repository":  func(s *Spec) { s.Image = "app" },
		"app:latest":     func(s *Spec) { s.Image = "hub.example.com/alice/app:latest" },
		"alice/app,push": func(s *Spec) { s.Image = "hub.example.com/alice/app,push=true" },
		"needs an image": func(s *Spec) { s.Image = "" },
		"no tag":         func(s *Spec) { s.Cache = "a,mode=min" },
		"no scanner":     func(s *Spec) { s.Scanner = "hub.example.com/a/b@sha256:00,generator=x" },
		"an SBOM needs": func(s *Spec) {
			s.Image, s.Cache, s.Scanner = "", "", "hub.example.com/a/b@sha256:"+strings.Repeat("0", 64)
		},
		"no platform":      func(s *Spec) { s.Platforms = []string{"linux,windows"} },
		"16 platforms":     func(s *Spec) { s.Platforms = make([]string, 17) },
		"build argument":   func(s *Spec) { s.Args["A=B"] = "" },
		"65537 bytes":      func(s *Spec) { s.Args["A"] = strings.Repeat("x", 64<<10+1) },
		"a NUL":            func(s *Spec) { s.Labels["a"] = "\x00" },
		"name of a label":  func(s *Spec) { s.Labels[""] = "" },
		"id of a secret":   func(s *Spec) { s.Secrets["../x"] = nil },
		"no id":            func(s *Spec) { s.Secrets["a,src=/etc/shadow"] = nil },
		"bytes: at most 5": func(s *Spec) { s.Secrets["a"] = make([]byte, 600<<10) },
		"together":         func(s *Spec) { fill(s.Secrets) },
	} {
		s := good
		s.Args, s.Labels, s.Secrets = map[string]string{}, map[string]string{}, map[string][]byte{}
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func fill(secrets map[string][]byte) {
	for n := range 9 {
		secrets[strings.Repeat("a", n+1)] = make([]byte, 500<<10)
	}
}

func TestFailure(t *testing.T) {
	cause := errors.New("cause")
	f := Failuref(TimeLimit, "it took longer than %s: %w", time.Hour, cause)
	if f.Error() != "time-limit: it took longer than 1h0m0s: cause" || !errors.Is(f, cause) {
		t.Error(f)
	}
}
