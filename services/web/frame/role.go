package frame

import (
	"net/http"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// GiveRole gives what a form's fields grantee and role say, on the repository or the
// namespace with that address in the API. A grantee is written as on the command line: the
// login name of a user, acme+ci for a robot account, team:NAME for a team.
func GiveRole(v *Visit, api string) (seq uint64, err error) {
	kind, name := "user", strings.TrimSpace(v.Sent.Get("grantee"))
	if team, ok := strings.CutPrefix(name, "team:"); ok {
		kind, name = "team", team
	} else if strings.Contains(name, "+") {
		kind = "robot"
	}
	if name == "" {
		return 0, endpoint.Invalid("path.grantee", "write who gets the role")
	}
	return v.Send(http.MethodPut, api+Path("grants", kind, name), apitypes.RoleRequest{Role: v.Sent.Get("role")}, nil)
}
