package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A Type is one kind of event, as a prototype and a decoder.
type Type struct {
	Prototype Payload // the zero value
	Decode    func(data []byte) (Payload, error)
	relieves  func(Payload) bool // nil: never; see Relieves
}

// Types lists every released version of every type, ordered by aggregate. A
// new one is added here, with a sample in testdata: by typeOf if the log refuses
// it while the disk's reserve is used up, by relief if it takes rights away, locks
// out or frees space.
var Types = []Type{
	typeOf[HubInitialized](),
	typeOf[LogRedacted](),
	typeOf[NamespaceCreated](),
	typeOf[NamespaceAdopted](),
	relief(always[QuotaSet]),
	relief(func(e UserStandingChanged) bool { return e.Disabled || !e.Admin }),
	relief(always[UserPasswordChanged]),
	relief(always[UserSecondFactorChanged]),
	relief(func(e UserEmailChanged) bool { return !e.Set }),
	relief(always[UserErased]),
	typeOf[MembershipGranted](),
	relief(always[MembershipRevoked]),
	typeOf[MembershipInvited](),
	relief(always[MembershipUninvited]),
	typeOf[TeamCreated](),
	relief(always[TeamDeleted]),
	typeOf[RobotCreated](),
	relief(always[RobotDeleted]),
	typeOf[GrantGiven](),
	relief(always[GrantWithdrawn]),
	typeOf[TokenIssued](),
	relief(always[TokenRevoked]),
	typeOf[LoginsRefused](),
	typeOf[MachineInvited](),
	typeOf[MachineEnrolled](),
	relief(always[MachineRevoked]),
	typeOf[RepositoryCreated](),
	relief(always[RepositoryDeleted]),
	typeOf[RepositoryRestored](),
	relief(always[RepositoryPolicyChanged]),
	relief(func(e RepositoryVisibilityChanged) bool { return e.Visibility == Private }),
	typeOf[RepositoryDescribed](),
	typeOf[RepositorySummaryChanged](),
	typeOf[RefusalsCounted](),
	typeOf[StarGiven](),
	typeOf[StarWithdrawn](),
	{Prototype: ImagePushed{}, Decode: decodePushed},
	typeOf[ImageTagged](),
	relief(always[TagDeleted]),
	typeOf[TagRestored](),
	relief(always[ManifestDeleted]),
	typeOf[ManifestRestored](),
	relief(always[BlobsSwept]),
	typeOf[PullsCounted](),
	typeOf[SourceLinked](),
	relief(func(e SourceChanged) bool {
		return slices.Contains(e.Changed, ChangedHookSecret) || slices.Contains(e.Changed, ChangedCredentials) || slices.Contains(e.Changed, ChangedStatusToken)
	}),
	relief(always[SourceUnlinked]),
	typeOf[RefMoved](),
	typeOf[RefsRecorded](),
	typeOf[PullRequestChanged](),
	typeOf[PullRequestsWatched](),
	typeOf[BuildQueued](),
	typeOf[BuildClaimed](),
	typeOf[BuildStepEnded](),
	typeOf[BuildPushed](),
	typeOf[BuildLost](),
	relief(always[BuildFinished]),
	typeOf[BuildLogSealed](),
	typeOf[RulesSet](),
	typeOf[HookReceived](),
	typeOf[HookRedelivered](),
	typeOf[HookRefused](),
	typeOf[PushEvaluated](),
	typeOf[BuildSecretSet](),
	relief(always[BuildSecretRemoved]),
	typeOf[PushRequested](),
	typeOf[TriggerCreated](),
	relief(always[TriggerDeleted]),
	typeOf[StatusSent](),
	typeOf[StatusGivenUp](),
	typeOf[ApplicationCreated](),
	typeOf[ApplicationChanged](),
	relief(always[ApplicationDeleted]),
	typeOf[EnvironmentCreated](),
	relief(always[EnvironmentDeleted]),
	typeOf[ConfigurationSet](),
	typeOf[ReleaseMade](),
	typeOf[PlacementSet](),
	typeOf[DeployPolicySet](),
	typeOf[GateHookSet](),
	relief(always[GateHookRemoved]),
	typeOf[DeploymentRequested](),
	typeOf[DeploymentAdmitted](),
	typeOf[DeploymentRefused](),
	typeOf[DeploymentPulled](),
	typeOf[DeploymentHealthy](),
	typeOf[DeploymentShifted](),
	typeOf[DeploymentGateChanged](),
	typeOf[DeploymentPromoted](),
	relief(always[DeploymentRolledBack]), // what is broken is taken away from people, also then
	relief(always[DeploymentCancelled]),
	typeOf[DeploymentFailed](),
	typeOf[DeploymentHostExcluded](),
	typeOf[DeploymentOverdue](),
	typeOf[DeploymentFinished](),
	typeOf[DeploymentTornDown](),
}

func typeOf[P Payload]() Type {
	var zero P
	return Type{Prototype: zero, Decode: func(data []byte) (Payload, error) {
		var p P
		err := json.Unmarshal(data, &p)
		return p, err
	}}
}

func relief[P Payload](when func(P) bool) Type {
	t := typeOf[P]()
	t.relieves = func(p Payload) bool { return when(p.(P)) }
	return t
}

func always[P Payload](P) bool { return true }

// Relieves says whether an event takes rights away, locks somebody out or frees
// space. The log accepts such an event down to the last space that it has, where
// it refuses every other (ErrNoSpace). A quota counts as a lock, and a policy as
// what protects images from deletion.
func Relieves(e *Event) bool {
	t, ok := byName[e.Type()]
	if _, redacted := e.Redacted(); !ok || t.relieves == nil || redacted {
		return false
	}
	p, err := t.Decode(e.Data)
	return err == nil && t.relieves(p)
}

var byName = func() map[string]Type {
	m := map[string]Type{}
	for _, t := range Types {
		m[t.Prototype.EventType()] = t
	}
	return m
}()

// ErrUnknownType is returned by Decode for a type that is not in Types.
var ErrUnknownType = errors.New("unknown event type")

// ErrRedacted is returned by Decode for an event whose data was taken away: see Redact.
var ErrRedacted = errors.New("the event was redacted")

// Decode reads an event's data. The error wraps ErrUnknownType when this
// program does not know the type, and ErrRedacted when there is none.
func Decode(e *Event) (Payload, error) {
	if _, redacted := e.Redacted(); redacted {
		return nil, fmt.Errorf("event %d: %w", e.Seq, ErrRedacted)
	}
	t, ok := byName[e.Type()]
	if !ok {
		return nil, fmt.Errorf("event %d: %w %q", e.Seq, ErrUnknownType, e.Type())
	}
	p, err := t.Decode(e.Data)
	if err != nil {
		return nil, fmt.Errorf("event %d: decode %s: %w", e.Seq, e.Type(), err)
	}
	return p, nil
}
