package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseScopes(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"repository:alice/app:pull":   "repository:alice/app:pull",
		"repository:a/b:pull,pull":    "repository:a/b:pull",
		"  repository:a/b:push  ":     "repository:a/b:push",
		"repository:a/b:":             "",
		"repository:a/b:read":         "",
		"repository(plugin):a/b:pull": "repository(plugin):a/b:pull",
		"repository:a/b:pull repository(plugin):a/b:pull": "repository:a/b:pull repository(plugin):a/b:pull",
		"repository:host:5000/a/b:pull":                   "",
		"repository:users/b:pull":                         "",
		"registry:catalog:*,search":                       "registry:catalog:*,search",
		"registry:catalog:pull":                           "",
		"registry:other:*":                                "",
		"artifact:a/b:pull":                               "",
		"a:b:c:d:e":                                       "",
	} {
		list, err := parseScopes([]string{text})
		var got []string
		for _, r := range list {
			got = append(got, r.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for _, bad := range []string{"x", "a:b", ":a:b", "a::b", ":", "::", strings.Repeat("a", 600) + ":b:c"} {
		if list, err := parseScopes([]string{bad}); !errors.Is(err, errScope) {
			t.Errorf("%q is %v, %v", bad, list, err)
		}
	}
	if _, err := parseScopes([]string{strings.Repeat("a:b:c ", maxScopes)}); err != nil {
		t.Error(err)
	}
	if _, err := parseScopes([]string{strings.Repeat("a:b:c ", maxScopes), "a:b:c"}); !errors.Is(err, errScope) {
		t.Error("too many scopes are read")
	}
}

func FuzzScopes(f *testing.F) {
	for _, s := range []string{"repository:a/b:pull,push", "repository(plugin):a/b:*", "registry:catalog:*", "a:b:c d:e:f", ":::", "repository::pull", "\x00:\xff:,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseScopes([]string{s})
		if err != nil {
			if list != nil {
				t.Errorf("an error and %v", list)
			}
			return
		}
		for i, r := range list {
			if len(r.Actions) == 0 || len(r.Actions) > 4 || !slices.Contains([]string{"repository", "registry"}, r.Type) || strings.ContainsAny(r.Name, ": ,") {
				t.Errorf("%+v", r)
			}
			again, err := parseScopes([]string{r.String()})
			if err != nil || len(again) != 1 || again[0].String() != r.String() {
				t.Errorf("%q becomes %v, %v", r, again, err)
			}
			for _, o := range list[:i] {
				if o.Type == r.Type && o.Class == r.Class && o.Name == r.Name {
					t.Errorf("%v is there twice", r)
				}
			}
		}
	})
}

func TestPHC(t *testing.T) {
	h := newHasher(recommended)
	made, err := h.hash(context.Background(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	text := made.String()
	if !strings.HasPrefix(text, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Error(text)
	}
	read, err := parsePHC(text)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false} {
		if got, err := h.matches(context.Background(), trustedCaller, &read, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if got, err := h.matches(context.Background(), trustedCaller, nil, "correct horse"); err != nil || got {
		t.Errorf("without a hash: %v, %v", got, err)
	}
	// Of the test vectors of the reference implementation.
	foreign, err := parsePHC("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if err != nil || foreign.params != (params{65536, 2, 1}) || string(foreign.salt) != "somesalt" {
		t.Fatalf("%+v, %v", foreign, err)
	}
	if got, err := h.matches(context.Background(), trustedCaller, &foreign, "password"); err != nil || !got {
		t.Errorf("the reference's own hash: %v, %v", got, err)
	}
	salt, hash := "c29tZXNhbHQ", "RdescudvJCsgt3ub+b27dA"
	for _, bad := range []string{"", "$", "x", "$argon2id$v=19$m=65536,t=2,p=1$" + salt, "$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + hash,
		"$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=65536,t=99,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=65536,t=2,p=255$" + salt + "$" + hash, "$argon2id$v=19$m=8,t=2,p=4$" + salt + "$" + hash,
		"$argon2id$v=19$t=2,m=65536,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=065536,t=2,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=65536,t=2,p=1$" + salt + "=$" + hash, "$argon2id$v=19$m=65536,t=2,p=1$$" + hash, "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$",
		"$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + hash + "$",
		"$argon2id$v=19$m=65536,t=2,p=1$" + salt + "\n$" + hash} {
		if p, err := parsePHC(bad); err == nil {
			t.Errorf("%q is %+v", bad, p)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b27dA")
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Errorf("%q is written %q", s, p)
		}
		if p.memory > 256<<10 || p.time == 0 || p.time > 16 || p.threads == 0 || len(p.salt) < 8 || len(p.hash) < 16 {
			t.Errorf("%+v", p)
		}
	})
}

func TestSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := newSecret()
		if _, ok := secretHash(s); !ok || seen[s] || len(s) != 47 {
			t.Fatal(s)
		}
		seen[s] = true
	}
	good := newSecret()
	for _, bad := range []string{"", "hlt_", good + "A", good[:len(good)-1], "HLT_" + good[4:], good[4:], strings.Repeat("x", 47), "hlt_" + strings.Repeat("A", 42) + "B", "hlt_" + strings.Repeat("+", 43)} {
		if _, ok := secretHash(bad); ok {
			t.Errorf("%q is an access token", bad)
		}
	}
}

func FuzzSecret(f *testing.F) {
	f.Add("hlt_" + strings.Repeat("A", 43))
	f.Add("hlt_00\n\n\n00000000000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := secretHash(s); ok && (len(s) != secretLength || strings.Trim(s[4:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "") {
			t.Errorf("%q is an access token", s)
		}
	})
}
