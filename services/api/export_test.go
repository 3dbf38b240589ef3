package api

import "time"

// FinishUsersAfter sets for how long an account without a password is taken
// for one that is being made.
func (h *API) FinishUsersAfter(d time.Duration) { h.finishAfter = d }
