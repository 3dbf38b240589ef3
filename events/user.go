package events

import "time"

// HubInitialized names the first administrator. It happens once in a hub's
// life, before anybody can log in.
type HubInitialized struct {
	Admin string `json:"admin" jsonschema:"id of the first administrator, to whom namespaces without a kind belong"`
}

func (HubInitialized) EventType() string { return "hub.initialized.v1" }
func (HubInitialized) Subject() string   { return HubSubject() }

// UserStandingChanged replaces a user's standing in the hub: whether they are an
// administrator and whether their account is disabled.
type UserStandingChanged struct {
	User     string `json:"user" jsonschema:"id of the user"`
	Admin    bool   `json:"admin" jsonschema:"administrator of the hub"`
	Disabled bool   `json:"disabled" jsonschema:"no credential of theirs is accepted"`
}

func (UserStandingChanged) EventType() string { return "user.standing_changed.v1" }
func (e UserStandingChanged) Subject() string { return UserSubject(e.User) }

// UserPasswordChanged says that a password was set; its hash is a secret and
// kept elsewhere. Sessions and login tokens obtained with an
// earlier password end.
type UserPasswordChanged struct {
	User string `json:"user" jsonschema:"id of the user"`
}

func (UserPasswordChanged) EventType() string { return "user.password_changed.v1" }
func (e UserPasswordChanged) Subject() string { return UserSubject(e.User) }

// UserEmailChanged says that an e-mail address was set or taken away; the
// address is a secret and kept elsewhere.
type UserEmailChanged struct {
	User string `json:"user" jsonschema:"id of the user"`
	Set  bool   `json:"set" jsonschema:"false when it was taken away"`
}

func (UserEmailChanged) EventType() string { return "user.email_changed.v1" }
func (e UserEmailChanged) Subject() string { return UserSubject(e.User) }

// UserSecondFactorChanged says that a user's second factor was turned on or off; its key is
// a secret and kept elsewhere. What was proved by the password alone before ends with it.
type UserSecondFactorChanged struct {
	User string `json:"user" jsonschema:"id of the user"`
	// Factor is which one is asked for from here on.
	Factor string `json:"factor,omitempty" jsonschema:"id of the second factor that is asked for beside the password; absent when it was turned off"`
	// Renewed says that the authenticator stays.
	Renewed bool `json:"renewed,omitempty" jsonschema:"true when it is the second factor of before with new recovery codes, under a new id"`
}

func (UserSecondFactorChanged) EventType() string { return "user.second_factor_changed.v1" }
func (e UserSecondFactorChanged) Subject() string { return UserSubject(e.User) }

// UserErased ends an account for good: its secrets are destroyed and nothing
// of it is accepted any more. The login name stays in the log and is not
// given to anybody else.
type UserErased struct {
	User string `json:"user" jsonschema:"id of the user"`
}

func (UserErased) EventType() string { return "user.erased.v1" }
func (e UserErased) Subject() string { return UserSubject(e.User) }

// LoginsRefused counts the logins that one node refused in one period. It has no
// addresses, and of the names only those of existing accounts: people type
// passwords into the wrong field.
type LoginsRefused struct {
	Node      string           `json:"node" jsonschema:"id of the node that refused"`
	From      time.Time        `json:"from" jsonschema:"start of the stretch"`
	Until     time.Time        `json:"until" jsonschema:"its end"`
	Attempts  int64            `json:"attempts" jsonschema:"wrong credentials, and those that came too soon after"`
	Addresses int64            `json:"addresses" jsonschema:"how many client addresses they came from"`
	Unknown   int64            `json:"unknown" jsonschema:"attempts by names that are no account's"`
	Accounts  []RefusedAccount `json:"accounts,omitempty" jsonschema:"existing accounts, most attempts first, at most 100"`
}

// RefusedAccount counts the refused logins with one account's name.
type RefusedAccount struct {
	Name     string `json:"name" jsonschema:"login name"`
	Attempts int64  `json:"attempts"`
}

func (LoginsRefused) EventType() string { return "logins.refused.v1" }
func (e LoginsRefused) Subject() string { return LoginsSubject(e.Node) }
