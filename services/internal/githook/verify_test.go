package githook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
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

var signingToken = signingPrefix + base64.StdEncoding.EncodeToString([]byte(testKey))

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
		"github":                       {GitHub, testSecret, github, true},
		"git":                          {Git, testSecret, github, true},
		"gitea":                        {Gitea, testSecret, gitea, true},
		"bitbucket":                    {Bitbucket, testSecret, bitbucket, true},
		"bitbucket-server":             {BitbucketServer, testSecret, bitbucket, true},
		"gitlab, token":                {GitLab, testSecret, token, true},
		"gitlab, signing token":        {GitLab, signingToken, signed, true},
		"gitlab, as a secret token":    {GitLab, signingToken, header("X-Gitlab-Token", signingToken), true},
		"upper case":                   {GitHub, testSecret, header("X-Hub-Signature-256", "sha256="+strings.ToUpper(right)), true},
		"a key that is being changed":  {GitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("old", "d1", "1", testBody)+" v2,x "+standard(testKey, "d1", "1", testBody)), true},
		"gitlab, both, other signer":   {GitLab, testSecret, with(token, "Webhook-Signature", "v1,eA=="), true},
		"nothing":                      {GitHub, testSecret, http.Header{}, false},
		"nothing, gitlab":              {GitLab, testSecret, http.Header{}, false},
		"nothing, signing token":       {GitLab, signingToken, http.Header{}, false},
		"empty":                        {GitHub, testSecret, header("X-Hub-Signature-256", ""), false},
		"prefix only":                  {GitHub, testSecret, header("X-Hub-Signature-256", "sha256="), false},
		"without prefix":               {GitHub, testSecret, header("X-Hub-Signature-256", right), false},
		"cut":                          {GitHub, testSecret, header("X-Hub-Signature-256", "sha256="+right[:62]), false},
		"longer":                       {GitHub, testSecret, header("X-Hub-Signature-256", "sha256="+right+"00"), false},
		"no hex":                       {GitHub, testSecret, header("X-Hub-Signature-256", "sha256="+strings.Repeat("x", 64)), false},
		"another secret":               {GitHub, "another", github, false},
		"SHA-1 only":                   {GitHub, testSecret, header("X-Hub-Signature", "sha256="+right), false},
		"twice":                        {GitHub, testSecret, with(github, "X-Hub-Signature-256", "sha256="+right), false},
		"token twice":                  {GitLab, testSecret, with(token, "X-Gitlab-Token", testSecret), false},
		"github's at gitea":            {Gitea, testSecret, github, false},
		"gitea's at github":            {GitHub, testSecret, gitea, false},
		"github's at bitbucket":        {Bitbucket, testSecret, github, false},
		"github's at gitlab":           {GitLab, testSecret, github, false},
		"gitlab's at github":           {GitHub, testSecret, token, false},
		"bitbucket's at github":        {GitHub, testSecret, bitbucket, false},
		"gitea's at bitbucket":         {BitbucketServer, testSecret, gitea, false},
		"token longer":                 {GitLab, testSecret, header("X-Gitlab-Token", testSecret+"x"), false},
		"token shorter":                {GitLab, testSecret, header("X-Gitlab-Token", testSecret[1:]), false},
		"signed with another key":      {GitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("x", "d1", "1", testBody)), false},
		"signature of another id":      {GitLab, signingToken, header("Webhook-Id", "d2", "Webhook-Timestamp", "1", "Webhook-Signature", standard(testKey, "d1", "1", testBody)), false},
		"signature of another time":    {GitLab, signingToken, header("Webhook-Id", "d1", "Webhook-Timestamp", "2", "Webhook-Signature", standard(testKey, "d1", "1", testBody)), false},
		"wrong signature, right token": {GitLab, signingToken, header("X-Gitlab-Token", signingToken, "Webhook-Signature", "v1,eA=="), false},
		"signing token without a key":  {GitLab, signingPrefix, header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("", "d1", "1", testBody)), false},
		"signing token is no base64":   {GitLab, signingPrefix + "!", header("Webhook-Id", "d1", "Webhook-Timestamp", "1", "Webhook-Signature", standard("", "d1", "1", testBody)), false},
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
	for _, host := range []string{GitHub, GitLab, Bitbucket, BitbucketServer, Gitea, Git, ""} {
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
		for _, host := range []string{GitHub, GitLab, Bitbucket, BitbucketServer, Gitea, Git} {
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
