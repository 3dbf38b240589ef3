package people

import (
	"context"
	"errors"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/totp"
)

type factorIn struct {
	UserPath
	Body apitypes.SecondFactorRequest
}

type recoveryCodesIn struct {
	UserPath
	Body apitypes.RecoveryCodesRequest
}

type factorRemovalIn struct {
	UserPath
	Body apitypes.SecondFactorRemoval
}

func (s *API) registerSecondFactors() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users/{user}/second-factor", ID: "get-second-factor", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Read,
		Summary: "Show whether the second factor is on"}, s.getSecondFactor)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: "/users/{user}/second-factor", ID: "turn-on-second-factor", Tag: "users", Permission: access.Self, Cost: budget.Write,
		Summary: "Turn the second factor on", About: "From then on the password is good only with a code (RFC 6238: six digits, thirty seconds, SHA-1), which requests give in the header " +
			apitypes.CodeHeader + ". Access tokens and what is signed in stay."}, s.turnOnSecondFactor)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users/{user}/second-factor/recovery-codes", ID: "renew-recovery-codes", Tag: "users", Permission: access.Self, Cost: budget.Write,
		Summary: "Make new recovery codes", About: "The previous codes no longer work. The authenticator stays."}, s.renewRecoveryCodes)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users/{user}/second-factor/removal", ID: "turn-off-second-factor", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Turn the second factor off", About: "To turn off your own, give the password and a code or a recovery code."}, s.turnOffSecondFactor)
}

func (s *API) getSecondFactor(ctx context.Context, _ *endpoint.Call, in *UserPath) (*openapi.Answer[apitypes.SecondFactor], error) {
	a, err := s.user(ctx, in.User)
	if err != nil || a.SecondFactor == "" {
		return openapi.Show(apitypes.SecondFactor{}), err
	}
	left, err := s.Factors.RecoveryCodes(ctx, a)
	return openapi.Show(apitypes.SecondFactor{On: true, RecoveryCodes: left}), err
}

func (s *API) turnOnSecondFactor(ctx context.Context, c *endpoint.Call, in *factorIn) (*openapi.ChangeWith[apitypes.RecoveryCodes], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Principal.ID != a.ID: // the operator, who may do everything else
		return nil, endpoint.Fail(http.StatusConflict, "a second factor is turned on by whose it is")
	case a.SecondFactor != "":
		return nil, account.ErrSecondFactor
	}
	if err := s.provePassword(ctx, c, a.Name, a.ID, in.Body.Password); err != nil {
		return nil, err
	}
	codes, seq, err := s.Factors.TurnOnSecondFactor(ctx, c.By(), a, in.Body.Key, in.Body.Code)
	if err == nil {
		s.Readable(ctx, seq) // the factor is on, and its codes are shown only now, however long that takes
	}
	switch {
	case errors.Is(err, totp.ErrKey):
		return nil, endpoint.Invalid("body.key", err.Error())
	case errors.Is(err, totp.ErrCode):
		return nil, endpoint.Invalid("body.code", "it is not what an authenticator with that key shows now: is the clock right?")
	case err != nil:
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.RecoveryCodes{Codes: codes, Seq: seq}), nil
}

func (s *API) renewRecoveryCodes(ctx context.Context, c *endpoint.Call, in *recoveryCodesIn) (*openapi.ChangeWith[apitypes.RecoveryCodes], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Principal.ID != a.ID: // the operator
		return nil, endpoint.Fail(http.StatusConflict, "recovery codes are made by whose they are")
	case a.SecondFactor == "":
		return nil, endpoint.Fail(http.StatusConflict, "the second factor is off")
	}
	if err := s.provePassword(ctx, c, a.Name, a.ID, in.Body.Password); err != nil {
		return nil, err
	}
	if err := s.proveCode(ctx, c, a, in.Body.Code); err != nil {
		return nil, err
	}
	codes, seq, err := s.Factors.RenewRecoveryCodes(ctx, c.By(), a)
	if err != nil {
		return nil, err
	}
	s.Readable(ctx, seq) // they are shown only now, however long that takes
	return openapi.ShowChange(seq, apitypes.RecoveryCodes{Codes: codes, Seq: seq}), nil
}

func (s *API) turnOffSecondFactor(ctx context.Context, c *endpoint.Call, in *factorRemovalIn) (*openapi.Change, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if a.SecondFactor == "" {
		return nil, endpoint.Fail(http.StatusConflict, "the second factor is off")
	}
	if err := s.provePassword(ctx, c, a.Name, a.ID, in.Body.Password); err != nil {
		return nil, err
	}
	if err := s.proveCode(ctx, c, a, in.Body.Code); err != nil {
		return nil, err
	}
	seq, err := s.Factors.TurnOffSecondFactor(ctx, c.By(), a)
	return s.Changed(ctx, seq, err)
}

// proveCode checks the code of users who act on their own account, as provePassword does.
func (s *API) proveCode(ctx context.Context, c *endpoint.Call, a *accounts.Account, code string) error {
	if c.Principal.Kind != access.User || c.Principal.ID != a.ID {
		return nil
	}
	err := s.Factors.CheckCode(ctx, c.Request, a, code)
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		return endpoint.Fail(http.StatusForbidden, denied.Message).At("body.code", denied.Message).Because(err)
	}
	return err
}
