package cmd_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hubledger/services/cmd"
	"hubledger/services/cmd/client"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/plaintext"
)

// nasty moves the cursor, sets the title, turns the direction of writing, and looks
// like another row.
const nasty = "x\x1b[2J\x1b]0;owned\x07\u202egpj\u2066\u009b31m\nacme\tforged"

// fill puts a text into every string of a value, and one item into every list.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(nasty)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

// What people and manifests say reaches no terminal raw, in any table or sentence of
// any command, and is what it was in JSON.
func TestNothingUnsafeIsPrinted(t *testing.T) {
	for _, c := range []struct {
		command string
		answer  any // what the hub says, or one item of its list
		list    bool
	}{
		{"orgs ls", &apitypes.Organization{}, true},
		{"orgs show acme", &apitypes.Organization{}, false},
		{"orgs members ls acme", &apitypes.Member{}, true},
		{"orgs robots ls acme", &apitypes.Robot{}, true},
		{"orgs invitations ls", &apitypes.Invitation{}, true},
		{"teams ls acme", &apitypes.Team{}, true},
		{"teams ls acme devs", &apitypes.Member{}, true},
		{"tokens ls", &apitypes.Token{}, true},
		{"tokens create x", &apitypes.IssuedToken{}, false},
		{"users ls", &apitypes.User{}, true},
		{"users show alice", &apitypes.User{}, false},
		{"users show", &apitypes.Whoami{}, false},
		{"users email alice", &apitypes.Email{}, false},
		{"users create bob", &apitypes.CreatedUser{}, false},
		{"repos ls acme", &apitypes.Repository{}, true},
		{"repos show acme/app", &apitypes.Repository{}, false},
		{"repos grants ls acme/app", &apitypes.Grant{}, true},
		{"repos policy acme/app", &apitypes.Policy{}, false},
		{"search app", &apitypes.Repository{}, true},
		{"cleanup preview acme/app", &apitypes.CleanupPreview{}, false},
	} {
		fill(reflect.ValueOf(c.answer).Elem())
		sent, err := json.Marshal(c.answer)
		if err != nil {
			t.Fatalf("%s: %v", c.command, err)
		}
		item := sent
		if c.list {
			sent = []byte(`{"items":[` + string(sent) + `]}`)
		}
		hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(sent)
		}))
		config := t.TempDir()
		t.Setenv("XDG_CONFIG_HOME", config)
		saved, err := json.Marshal(client.Logins{Current: hub.URL, Logins: map[string]client.Login{hub.URL: {User: "alice", Token: "hlt_x"}}})
		if err == nil {
			err = os.MkdirAll(filepath.Join(config, "hubledger"), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(config, "hubledger", "login.json"), saved, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, asJSON := range []bool{false, true} {
			args := append(strings.Fields(c.command), "--server", hub.URL)
			if asJSON {
				args = append(args, "--json")
			}
			var out, errOut bytes.Buffer
			if code := cmd.Main(t.Context(), args, &out, &errOut); code != 0 {
				t.Errorf("%s: exit code %d: %s", c.command, code, &errOut)
			}
			for _, printed := range []string{out.String(), errOut.String()} {
				printed = strings.ReplaceAll(printed, "\n", "")
				if !c.list {
					printed = strings.ReplaceAll(printed, "\t", "") // in a sentence it does no harm
				}
				if !plaintext.IsLine(printed) {
					t.Errorf("%s prints %q", c.command, printed)
				}
			}
			var was, is any
			switch {
			case !asJSON && !strings.Contains(out.String(), `\u001b`):
				t.Errorf("%s does not show the text: %q", c.command, &out)
			case !asJSON && c.list && strings.Count(out.String(), "\n") != 2:
				t.Errorf("%s prints more than a header and a row: %q", c.command, &out)
			case asJSON && (json.Unmarshal(item, &was) != nil || json.Unmarshal(out.Bytes(), &is) != nil || !reflect.DeepEqual(was, is)):
				t.Errorf("%s --json prints %q, the hub said %q", c.command, &out, item)
			}
		}
		hub.Close()
	}
}
