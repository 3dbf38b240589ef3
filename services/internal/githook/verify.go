package githook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"hubledger/events"
)

// SigningPrefix begins a secret that GitLab takes as a signing token: the rest is
// the key in base64 (Standard Webhooks, "Signature scheme").
const SigningPrefix = "whsec_"

// Verify says whether a webhook was sent by who knows the secret. The body is the
// one that was received, byte for byte. It takes the same time for a wrong signature
// as for none, and for any kind of host and secret. An empty secret verifies nothing.
//
// What is looked at, by kind of host:
//
//   - github, git: X-Hub-Signature-256, "sha256=" and the HMAC of the body in hex
//   - gitea: X-Gitea-Signature, that HMAC in hex
//   - bitbucket, bitbucket-server: X-Hub-Signature, as GitHub's
//   - gitlab: webhook-signature, when it is there and the secret is a signing token
//     ("whsec_" and base64); else X-Gitlab-Token, the secret itself
//
// Times in headers are not judged: a delivery that comes again is known by its id.
func Verify(host, secret string, header http.Header, body []byte) bool {
	key, before := []byte(secret), ""
	signed := host == events.HostGitLab && strings.HasPrefix(secret, SigningPrefix) && len(header.Values("Webhook-Signature")) > 0
	if signed {
		decoded, err := base64.StdEncoding.DecodeString(secret[len(SigningPrefix):])
		if err != nil || len(decoded) == 0 {
			secret = "" // no key: the signature is computed all the same, and does not count
		}
		key, before = decoded, only(header, "Webhook-Id")+"."+only(header, "Webhook-Timestamp")+"."
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(before))
	mac.Write(body)
	sum := mac.Sum(nil)
	right := false
	switch {
	case signed:
		right = standardSignature(only(header, "Webhook-Signature"), sum)
	case host == events.HostGitLab:
		want, got := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(only(header, "X-Gitlab-Token")))
		right = hmac.Equal(want[:], got[:])
	case host == events.HostGitHub, host == events.HostGit:
		right = hexSignature(only(header, "X-Hub-Signature-256"), "sha256=", sum)
	case host == events.HostGitea:
		right = hexSignature(only(header, "X-Gitea-Signature"), "", sum)
	case host == events.HostBitbucket, host == events.HostBitbucketServer:
		right = hexSignature(only(header, "X-Hub-Signature"), "sha256=", sum)
	}
	return right && secret != ""
}

// only is the value of a header that is there once, else "".
func only(header http.Header, name string) string {
	if values := header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

func hexSignature(text, prefix string, sum []byte) bool {
	digits, ok := strings.CutPrefix(text, prefix)
	given, err := hex.DecodeString(digits)
	return ok && err == nil && hmac.Equal(given, sum)
}

// standardSignature looks for the sum among signatures of version 1, which stand
// between spaces: a host that changes its key signs with both for a while.
func standardSignature(text string, sum []byte) bool {
	found := false
	for part := range bytes.FieldsSeq([]byte(text)) {
		if encoded, ok := bytes.CutPrefix(part, []byte("v1,")); ok {
			given, err := base64.StdEncoding.DecodeString(string(encoded))
			found = err == nil && hmac.Equal(given, sum) || found
		}
	}
	return found
}
