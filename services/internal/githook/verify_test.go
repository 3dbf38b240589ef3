package githook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"hubledger/events"
)

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexMAC(key, text string) string { return hex.EncodeToString(mac(key, text)) }

// header makes a header of names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for k := 0; k < len(pairs); k += 2 {
		h.Add(pairs[k], pairs[k+1])
	}
	return h
}

const (
	testSecret = "It's a Secret to Everybody"
	testBody   = "Hello, World!"
	testKey    = "0123456789abcdef0123456789abcdef"
)

var signingToken = SigningPrefix + base64.StdEncoding.EncodeToString([]byte(testKey))

func standard(key, id, at, body string) string {
	return "v1," + base64.StdEncoding.EncodeToString(mac(key, id+"."+at+"."+body))
}

func TestVerify(t *testing.T) {
	right := hexMAC(testSecret, testBody)
	// GitHub's documentation gives this one.
	if right != "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" {
		t.Fatal(right)
	}
	github, gitea, bitbucket := header("X-Hub-Signature-256", "sha256="+right), header("X-Gitea-Signature", right), header("X-Hub-Signature", "sha256="+right)
	token := header("X-Gitlab-Token", testSecret)
	signed := header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard(testKey, "d1", "1", testBody))
	with := func(h http.Header, pairs ...string) http.Header {
		h = h.Clone()
		for k := 0; k < len(pairs); k += 2 {
			h.Add(pairs[k], pairs[k+1])
		}
		return h
	}
	for name, c := range map[string]struct {
		host, secret string
		header       http.Header
		want         bool
	}{
		"github":                       {events.HostGitHub, testSecret, github, true},
		"git":                          {events.HostGit, testSecret, github, true},
		"gitea":                        {events.HostGitea, testSecret, gitea, true},
		"bitbucket":                    {events.HostBitbucket, testSecret, bitbucket, true},
		"bitbucket-server":             {events.HostBitbucketServer, testSecret, bitbucket, true},
		"gitlab, token":                {events.HostGitLab, testSecret, token, true},
		"gitlab, signing token":        {events.HostGitLab, signingToken, signed, true},
		"gitlab, as a secret token":    {events.HostGitLab, signingToken, header("X-Gitlab-Token", signingToken), true},
		"upper case":                   {events.HostGitHub, testSecret, header("X-Hub-Signature-256", "sha256="+strings.ToUpper(right)), true},
		"a key that is being changed":  {events.HostGitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("old", "d1", "1", testBody)+" v2,x "+standard(testKey, "d1", "1", testBody)), true},
		"gitlab, both, other signer":   {events.HostGitLab, testSecret, with(token, "Webhook-Signature", "v1,eA=="), true},
		"nothing":                      {events.HostGitHub, testSecret, http.Header{}, false},
		"nothing, gitlab":              {events.HostGitLab, testSecret, http.Header{}, false},
		"nothing, signing token":       {events.HostGitLab, signingToken, http.Header{}, false},
		"empty":                        {events.HostGitHub, testSecret, header("X-Hub-Signature-256", ""), false},
		"prefix only":                  {events.HostGitHub, testSecret, header("X-Hub-Signature-256", "sha256="), false},
		"without prefix":               {events.HostGitHub, testSecret, header("X-Hub-Signature-256", right), false},
		"cut":                          {events.HostGitHub, testSecret, header("X-Hub-Signature-256", "sha256="+right[:62]), false},
		"longer":                       {events.HostGitHub, testSecret, header("X-Hub-Signature-256", "sha256="+right+"00"), false},
		"no hex":                       {events.HostGitHub, testSecret, header("X-Hub-Signature-256", "sha256="+strings.Repeat("x", 64)), false},
		"another secret":               {events.HostGitHub, "another", github, false},
		"SHA-1 only":                   {events.HostGitHub, testSecret, header("X-Hub-Signature", "sha256="+right), false},
		"twice":                        {events.HostGitHub, testSecret, with(github, "X-Hub-Signature-256", "sha256="+right), false},
		"token twice":                  {events.HostGitLab, testSecret, with(token, "X-Gitlab-Token", testSecret), false},
		"github's at gitea":            {events.HostGitea, testSecret, github, false},
		"gitea's at github":            {events.HostGitHub, testSecret, gitea, false},
		"github's at bitbucket":        {events.HostBitbucket, testSecret, github, false},
		"github's at gitlab":           {events.HostGitLab, testSecret, github, false},
		"gitlab's at github":           {events.HostGitHub, testSecret, token, false},
		"bitbucket's at github":        {events.HostGitHub, testSecret, bitbucket, false},
		"gitea's at bitbucket":         {events.HostBitbucketServer, testSecret, gitea, false},
		"token longer":                 {events.HostGitLab, testSecret, header("X-Gitlab-Token", testSecret+"x"), false},
		"token shorter":                {events.HostGitLab, testSecret, header("X-Gitlab-Token", testSecret[1:]), false},
		"signed with another key":      {events.HostGitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("x", "d1", "1", testBody)), false},
		"signature of another id":      {events.HostGitLab, signingToken, header("Webhook-Id", "d2", "Webhook-Timestamp", "1", "Webhook-Signature", standard(testKey, "d1", "1", testBody)), false},
		"signature of another time":    {events.HostGitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "2", "Webhook-Signature", standard(testKey, "d1", "1", testBody)), false},
		"wrong signature, right token": {events.HostGitLab, signingToken, header("X-Gitlab-Token", signingToken, "Webhook-Signature", "v1,eA=="), false},
		"signing token without a key":  {events.HostGitLab, SigningPrefix, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("", "d1", "1", testBody)), false},
		"signing token is no base64":   {events.HostGitLab, SigningPrefix + "!", header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("", "d1", "1", testBody)), false},
		"unknown host":                 {"svn", testSecret, with(github, "X-Gitlab-Token", testSecret), false},
	} {
		if got := Verify(c.host, c.secret, c.header, []byte(testBody)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		if Verify(c.host, c.secret, c.header, []byte(testBody+" ")) && c.header.Get("X-Gitlab-Token") == "" {
			t.Errorf("%s: also with another body", name)
		}
	}
}

// What an empty secret signs is no proof: a source without a secret would believe everybody.
func TestEmptySecretVerifiesNothing(t *testing.T) {
	sum := hexMAC("", testBody)
	all := header("X-Hub-Signature-256", "sha256="+sum, "X-Hub-Signature", "sha256="+sum, "X-Gitea-Signature", sum, "X-Gitlab-Token", "",
		"Webhook-Id", "d", "Webhook-Timestamp", "1", "Webhook-Signature", standard("", "d", "1", testBody))
	for _, host := range []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea, events.HostGit, ""} {
		if Verify(host, "", all, []byte(testBody)) {
			t.Errorf("%s", host)
		}
	}
}

// No signature is right by chance, and the right one always is.
func FuzzVerify(f *testing.F) {
	f.Add("secret", "body", "sha256=00", "x")
	f.Add(signingToken, "", "v1,eA==", "")
	f.Fuzz(func(t *testing.T, secret, body, given, other string) {
		sum := hexMAC(secret, body)
		for _, host := range []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea, events.HostGit} {
			h := header("X-Hub-Signature-256", "sha256="+sum, "X-Hub-Signature", "sha256="+sum, "X-Gitea-Signature", sum, "X-Gitlab-Token", secret)
			if !Verify(host, secret, h, []byte(body)) && secret != "" {
				t.Errorf("%s: the right signature is refused", host)
			}
			h = header("X-Hub-Signature-256", given, "X-Hub-Signature", given, "X-Gitea-Signature", given, "X-Gitlab-Token", given,
				"Webhook-Id", other, "Webhook-Timestamp", other, "Webhook-Signature", given)
			if Verify(host, secret, h, []byte(body)) && given != secret && !strings.EqualFold(given, sum) && !strings.EqualFold(given, "sha256="+sum) {
				t.Errorf("%s: %q is taken for a signature", host, given)
			}
		}
	})
}
