package apitypes

import "time"

// A User is a user as others see them; what only they and administrators of
// the hub see is absent otherwise.
type User struct {
	Name     string `json:"name" doc:"Login name"`
	Erased   bool   `json:"erased,omitempty" doc:"The account has ended; its name is given to nobody else"`
	ID       string `json:"id,omitempty" format:"uuid" doc:"Of the user, and of their namespace"`
	Admin    *bool  `json:"admin,omitempty" doc:"Administrator of the hub"`
	Disabled *bool  `json:"disabled,omitempty" doc:"No credential of theirs is accepted"`
	HasEmail *bool  `json:"hasEmail,omitempty" doc:"An e-mail address is kept"`
	// SecondFactor is also what administrators look for.
	SecondFactor *bool      `json:"secondFactor,omitempty" doc:"A code of an authenticator is asked for beside the password"`
	Created      *time.Time `json:"created,omitempty" doc:"When the account was made"`
}

// Whoami says who asks, and what their credential is good for.
type Whoami struct {
	Kind         string   `json:"kind" enum:"user,robot,operator" doc:"What sort of account it is"`
	Name         string   `json:"name" doc:"Login name"`
	Admin        bool     `json:"admin" doc:"Administrator of the hub"`
	Level        string   `json:"level" enum:"read,write,delete,admin" doc:"How far the credential goes"`
	Repositories []string `json:"repositories,omitempty" doc:"What the credential is limited to"`
	// User is there for users, unless the credential is limited to some repositories.
	User *User `json:"user,omitempty"`
}

// CreateUserRequest asks for a user.
type CreateUserRequest struct {
	Name     string `json:"name" minLength:"2" maxLength:"40" example:"alice" doc:"Login name: lower-case letters, digits, and single . _ - between them"`
	Password string `json:"password,omitempty" maxLength:"1024" doc:"Absent: one is made and shown once"`
	Email    string `json:"email,omitempty" maxLength:"254" doc:"Kept encrypted, apart from the log"`
	Admin    bool   `json:"admin,omitempty" doc:"Administrator of the hub"`
}

// CreatedUser is a user who was just made.
type CreatedUser struct {
	User
	Seq      uint64 `json:"seq" doc:"Sequence of the change in the log"`
	Password string `json:"password,omitempty" doc:"The password that was made, shown this once"`
}

// StandingRequest says what of a user's standing changes.
type StandingRequest struct {
	Admin    *bool `json:"admin,omitempty" doc:"Administrator of the hub"`
	Disabled *bool `json:"disabled,omitempty" doc:"No credential of theirs is accepted"`
}

// PasswordRequest changes a password.
type PasswordRequest struct {
	Old string `json:"old,omitempty" maxLength:"1024" doc:"The password so far; administrators who reset another's leave it out"`
	New string `json:"new" minLength:"1" maxLength:"1024" doc:"The new one, 8 characters or more"`
}

// SecondFactor says whether a code is asked for beside the password.
type SecondFactor struct {
	On            bool `json:"on" doc:"A code of an authenticator is asked for beside the password"`
	RecoveryCodes int  `json:"recoveryCodes,omitempty" doc:"How many recovery codes are left"`
}

// SecondFactorRequest turns a second factor on.
type SecondFactorRequest struct {
	Password string `json:"password" maxLength:"1024" doc:"The password of the account"`
	Key      string `json:"key" maxLength:"100" doc:"What the authenticator was set up with: 160 random bits in base32, made by the client"`
	Code     string `json:"code" maxLength:"64" doc:"What the authenticator shows now"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"recoveryCodes" doc:"Each is good once in place of a code; kept nowhere as they are"`
	Seq   uint64   `json:"seq" doc:"Sequence of the change in the log"`
}

// RecoveryCodesRequest asks for other recovery codes.
type RecoveryCodesRequest struct {
	Password string `json:"password" maxLength:"1024" doc:"The password of the account"`
	Code     string `json:"code" maxLength:"64" doc:"What the authenticator shows now, or a recovery code"`
}

// SecondFactorRemoval turns a second factor off.
type SecondFactorRemoval struct {
	Password string `json:"password,omitempty" maxLength:"1024" doc:"Of the user who turns off their own; administrators leave it out"`
	Code     string `json:"code,omitempty" maxLength:"64" doc:"Likewise: what the authenticator shows now, or a recovery code"`
}

// Email is a user's e-mail address.
type Email struct {
	Email string `json:"email" maxLength:"254" doc:"Empty: none is kept"`
}

// EraseRequest erases a person.
type EraseRequest struct {
	Confirm  string `json:"confirm" maxLength:"40" doc:"The login name once more"`
	Password string `json:"password,omitempty" maxLength:"1024" doc:"Of the user who erases themselves"`
}

// A Token is an access token as its owner sees it: never the secret.
type Token struct {
	ID           string     `json:"id" format:"uuid" doc:"What it is revoked by"`
	Name         string     `json:"name" doc:"What its owner calls it"`
	Kind         string     `json:"kind" enum:"access,login,session" doc:"login: what docker login with a password stores in its place; session: a browser that is signed in"`
	Level        string     `json:"level" enum:"read,write,delete,admin" doc:"write pushes but deletes nothing; a login never goes further than delete"`
	Repositories []string   `json:"repositories,omitempty" doc:"Full names it is good for; absent for all"`
	Issued       time.Time  `json:"issued" doc:"When it was made"`
	Expires      *time.Time `json:"expires,omitempty" doc:"Absent for never"`
	Revoked      bool       `json:"revoked" doc:"Somebody revoked it"`
	Ended        string     `json:"ended,omitempty" enum:"revoked,issuer,password,expired" doc:"Why it is refused; absent while it is good. issuer: a token that issued it was revoked; password: the password that a login was made by was changed"`
	Issuer       string     `json:"issuer,omitempty" format:"uuid" doc:"Token that issued it, and that it ends with; absent when a password or the operator did"`
	IssuedTokens int        `json:"issuedTokens,omitempty" doc:"How many good tokens end with it"`
	LastUsed     *time.Time `json:"lastUsed,omitempty" doc:"To the second or so"`
}

// TokenRequest asks for an access token.
type TokenRequest struct {
	Name         string     `json:"name" minLength:"1" maxLength:"100" doc:"What it is for"`
	Level        string     `json:"level" enum:"read,write,delete,admin" doc:"write pushes but deletes nothing; what the owner may not do, the token may not either"`
	Repositories []string   `json:"repositories,omitempty" minItems:"1" maxItems:"100" doc:"Full names it is good for; absent for all"`
	Expires      *time.Time `json:"expires,omitempty" doc:"Absent for never"`
}

// IssuedToken is an access token that was just issued.
type IssuedToken struct {
	Token
	Secret string `json:"token" example:"hlt_…" doc:"The token itself, shown this once"`
	Seq    uint64 `json:"seq" doc:"Sequence of the change in the log"`
}
