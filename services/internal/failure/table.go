package failure

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/catalog"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/application"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/asof/people"
	"hubledger/services/internal/build"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/buildsecret"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/githook"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/image"
	"hubledger/services/internal/machine"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/source"
	"hubledger/services/internal/totp"
	"hubledger/services/internal/trigger"
)

// late is the message when the time for a request ended before its work.
const late = "the hub did not get to it in time: try again"

// common are the answers for every protocol.
var common = []Entry{
	{Err: accounts.ErrNotFound, Status: http.StatusNotFound, Message: Hidden},
	{Err: catalog.ErrNotFound, Status: http.StatusNotFound, Message: Hidden},
	{Err: images.ErrNotFound, Status: http.StatusNotFound, Message: Hidden},
	{Err: repository.ErrUnknown, Status: http.StatusNotFound, Message: Hidden},
	{Err: builds.ErrNotFound, Status: http.StatusNotFound, Message: Hidden},
	{Err: deploys.ErrNotFound, Status: http.StatusNotFound, Message: Hidden},
	{Err: application.ErrUnknown, Status: http.StatusNotFound},
	{Err: build.ErrUnknown, Status: http.StatusNotFound},
	{Err: source.ErrUnknown, Status: http.StatusNotFound},
	{Err: machine.ErrUnknown, Status: http.StatusNotFound},
	{Err: machine.ErrToken, Status: http.StatusForbidden},
	{Err: machine.ErrKind, Status: http.StatusForbidden},
	{Err: machine.ErrTaken, Status: http.StatusConflict},
	{Err: machine.ErrKeyTaken, Status: http.StatusConflict},
	{Err: machine.ErrTooMany, Status: http.StatusConflict},
	{Err: machine.ErrName, Status: http.StatusUnprocessableEntity},
	{Err: machine.ErrKey, Status: http.StatusUnprocessableEntity},
	{Err: buildsecret.ErrUnknown, Status: http.StatusNotFound},
	{Err: source.ErrNoDelivery, Status: http.StatusNotFound},
	{Err: trigger.ErrURL, Status: http.StatusNotFound},
	{Err: trigger.ErrUnknown, Status: http.StatusNotFound},
	{Err: account.ErrUnknown, Status: http.StatusNotFound, Message: Hidden},
	{Err: account.ErrNotInvited, Status: http.StatusNotFound},
	{Err: image.ErrUnknownTag, Status: http.StatusNotFound, Message: "there is no such tag"},
	{Err: repository.ErrNoNamespace, Status: http.StatusNotFound},

	{Err: asof.ErrPoint, Status: http.StatusUnprocessableEntity},
	{Err: asof.ErrFuture, Status: http.StatusUnprocessableEntity},
	{Err: people.ErrTooMany, Status: http.StatusUnprocessableEntity},
	{Err: totp.ErrKey, Status: http.StatusUnprocessableEntity},
	{Err: totp.ErrCode, Status: http.StatusUnprocessableEntity},

	{Err: githook.ErrShape, Status: http.StatusBadRequest},
	{Err: catalog.ErrQuery, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrName, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrInvalid, Status: http.StatusUnprocessableEntity},
	{Err: hosting.ErrAway, Status: http.StatusConflict},
	{Err: hosting.ErrLooks, Status: http.StatusTooManyRequests},
	{Err: account.ErrEmail, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrNoUser, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrNoGrantee, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrNotMember, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrUseless, Status: http.StatusUnprocessableEntity},
	{Err: account.ErrNoOwner, Status: http.StatusUnprocessableEntity},
	{Err: repository.ErrName, Status: http.StatusUnprocessableEntity},
	{Err: repository.ErrTag, Status: http.StatusUnprocessableEntity},
	{Err: image.ErrNeverNamed, Status: http.StatusUnprocessableEntity},
	{Err: repository.ErrSettings, Status: http.StatusUnprocessableEntity},
	{Err: source.ErrSettings, Status: http.StatusUnprocessableEntity},
	{Err: buildsecret.ErrInvalid, Status: http.StatusUnprocessableEntity},
	{Err: buildrule.ErrRules, Status: http.StatusUnprocessableEntity},
	{Err: build.ErrUpload, Status: http.StatusUnprocessableEntity},
	{Err: application.ErrInvalid, Status: http.StatusUnprocessableEntity},
	{Err: deployment.ErrBusy, Status: http.StatusConflict},
	{Err: deployment.ErrNotNow, Status: http.StatusConflict},
	{Err: deployment.ErrOther, Status: http.StatusConflict},
	{Err: deployment.ErrGates, Status: http.StatusConflict},
	{Err: deployment.ErrInvalid, Status: http.StatusUnprocessableEntity},
	{Err: trigger.ErrKind, Status: http.StatusUnprocessableEntity},
	{Err: trigger.ErrTag, Status: http.StatusUnprocessableEntity},
	{Err: trigger.ErrNothing, Status: http.StatusUnprocessableEntity},

	{Err: account.ErrRobotOwner, Status: http.StatusForbidden},
	{Err: account.ErrAdminsOrganize, Status: http.StatusForbidden},
	{Err: account.ErrOthersOrganization, Status: http.StatusForbidden},
	{Err: account.ErrTooMany, Status: http.StatusForbidden},
	{Err: account.ErrTooManyInvitations, Status: http.StatusForbidden},
	{Err: buildsecret.ErrTooMany, Status: http.StatusForbidden},
	{Err: source.ErrTooMany, Status: http.StatusForbidden},
	{Err: application.ErrTooMany, Status: http.StatusForbidden},
	{Err: trigger.ErrTooMany, Status: http.StatusForbidden},
	{Err: repository.ErrMayNotCreate, Status: http.StatusForbidden},
	{Err: repository.ErrNoStars, Status: http.StatusForbidden},

	{Err: account.ErrTaken, Status: http.StatusConflict},
	{Err: account.ErrErased, Status: http.StatusConflict, Message: "the account was erased"},
	{Err: account.ErrLastAdmin, Status: http.StatusConflict},
	{Err: account.ErrSecondFactor, Status: http.StatusConflict},
	{Err: account.ErrFactorChanged, Status: http.StatusConflict},
	{Err: build.ErrEnded, Status: http.StatusConflict},
	{Err: build.ErrNotEnded, Status: http.StatusConflict},
	{Err: build.ErrTooMany, Status: http.StatusConflict},
	{Err: build.ErrNotWaiting, Status: http.StatusConflict},
	{Err: build.ErrEpoch, Status: http.StatusConflict},
	{Err: application.ErrTaken, Status: http.StatusConflict},
	{Err: trigger.ErrNoBuilds, Status: http.StatusConflict},
	{Err: source.ErrTaken, Status: http.StatusConflict},
	{Err: repository.ErrTaken, Status: http.StatusConflict},
	{Err: repository.ErrExists, Status: http.StatusConflict},
	{Err: repository.ErrNotDeleted, Status: http.StatusConflict},
	{Err: image.ErrImmutable, Status: http.StatusConflict},
	{Err: image.ErrHeld, Status: http.StatusConflict},
	{Err: image.ErrManifestDeleted, Status: http.StatusConflict},
	{Err: image.ErrMoved, Status: http.StatusConflict},
	{Err: command.ErrChanged, Status: http.StatusConflict},

	{Err: cleanup.ErrParked, Status: http.StatusServiceUnavailable, Retry: time.Second},
	{Err: events.ErrNoSpace, Status: http.StatusInsufficientStorage, Message: "the disk is full up to its reserve: delete images or add space"},
	{Err: events.ErrReadOnly, Status: http.StatusServiceUnavailable, Message: "the hub is read-only until its operator has repaired the log", Retry: time.Second},
	{Err: events.ErrConflict, Status: http.StatusConflict, Message: "somebody else changed the same thing at the same time: try again", Retry: time.Second},
	// To try again without looking could make the same change twice.
	{Err: events.ErrUncertain, Status: http.StatusServiceUnavailable, Message: "the change may have been made or not: look before you try again"},
	{Err: access.ErrStale, Status: http.StatusServiceUnavailable, Message: "this node's accounts are behind the log: try again", Retry: time.Second},
	{Err: access.ErrParked, Status: http.StatusServiceUnavailable, Message: "a decision rests on an event that this version cannot apply: the operator has to look", Retry: time.Second},
	{Err: context.DeadlineExceeded, Status: http.StatusServiceUnavailable, Message: late, Retry: time.Second},
	{Err: context.Canceled, Status: http.StatusServiceUnavailable, Message: late, Retry: time.Second},
}
