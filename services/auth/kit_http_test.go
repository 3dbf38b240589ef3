package auth_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/internal/origin"
	"hubledger/services/internal/service"
)

// A call is a request to be made.
type call func(r *http.Request)

func basic(name, secret string) call {
	return func(r *http.Request) { r.SetBasicAuth(name, secret) }
}

func bearer(token string) call {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func anonymous(*http.Request) {}

// from is where a request comes from, by way of any other change.
func from(addr string, c call) call {
	return func(r *http.Request) {
		c(r)
		*r = *r.WithContext(origin.With(r.Context(), origin.Origin{Addr: netip.MustParseAddr(addr), Scheme: "https", Host: "hub.test:5050"}))
	}
}

func request(t testing.TB, method, target, body string, how call) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	n := rand.Uint32() // each from an address of its own, unless how says another
	from(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String(), anonymous)(r)
	how(r)
	return r
}

// answer is that of the token service.
type answer struct {
	status  int
	header  http.Header
	Token   string `json:"token"`
	Access  string `json:"access_token"`
	Expires int    `json:"expires_in"`
	Issued  string `json:"issued_at"`
	Scope   string `json:"scope"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
	Errors  []struct{ Code, Message string }
}

func serve(t testing.TB, s interface{ Service() service.Service }, r *http.Request) answer {
	t.Helper()
	w := serveRaw(t, s, r)
	a := answer{status: w.Code, header: w.Header()}
	body, err := io.ReadAll(w.Result().Body)
	check(t, err)
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
	return a
}

// get asks for a token by GET.
func (h *hub) get(how call, query url.Values) answer {
	h.t.Helper()
	return serve(h.t, h, request(h.t, "GET", "/token?"+query.Encode(), "", how))
}

// post asks for a token by POST.
func (h *hub) post(form url.Values) answer {
	h.t.Helper()
	return serve(h.t, h, request(h.t, "POST", "/token", form.Encode(), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}))
}

// payload is a token's, unverified.
func payload(t testing.TB, token string) (p struct {
	Iss, Sub, Jti string
	Aud           any
	Exp, Nbf, Iat int64
	Access        []struct {
		Type, Class, Name string
		Actions           []string
	}
}) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	raw, err := base64Decode(parts[1])
	check(t, err)
	check(t, json.Unmarshal(raw, &p))
	return p
}

// granted is the access of a token, as scopes.
func granted(t testing.TB, token string) string {
	t.Helper()
	var scopes []string
	for _, a := range payload(t, token).Access {
		kind := a.Type
		if a.Class != "" {
			kind += "(" + a.Class + ")"
		}
		scopes = append(scopes, kind+":"+a.Name+":"+strings.Join(a.Actions, ","))
	}
	return strings.Join(scopes, " ")
}

func serveRaw(t testing.TB, s interface{ Service() service.Service }, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	router, err := service.NewRouter([]service.Service{s.Service()}, nil)
	check(t, err)
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	return w
}
