package apitypes

// A Hub says how a hub is set up, as far as that matters to its users.
type Hub struct {
	DefaultVisibility             string `json:"defaultVisibility" enum:"public,private" doc:"Of a new repository when none is asked for"`
	UndeleteSeconds               int64  `json:"undeleteSeconds" doc:"How long a deletion can be undone"`
	OnlyAdminsCreateOrganizations bool   `json:"onlyAdminsCreateOrganizations" doc:"Users make no organizations"`
}
