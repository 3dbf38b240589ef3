package events

import (
	"encoding/json"
	"errors"
	"fmt"
)

// A Type is one kind of event, as a prototype and a decoder.
type Type struct {
	Prototype Payload // the zero value
	Decode    func(data []byte) (Payload, error)
}

// Types lists every released version of every type, ordered by aggregate. A
// new one is added here, with a sample in testdata.
var Types = []Type{
	typeOf[HubInitialized](),
	typeOf[NamespaceCreated](),
	typeOf[NamespaceAdopted](),
	typeOf[QuotaSet](),
	typeOf[UserStandingChanged](),
	typeOf[UserPasswordChanged](),
	typeOf[UserEmailChanged](),
	typeOf[UserErased](),
	typeOf[MembershipGranted](),
	typeOf[MembershipRevoked](),
	typeOf[TeamCreated](),
	typeOf[TeamDeleted](),
	typeOf[RobotCreated](),
	typeOf[RobotDeleted](),
	typeOf[GrantGiven](),
	typeOf[GrantWithdrawn](),
	typeOf[TokenIssued](),
	typeOf[TokenRevoked](),
	typeOf[LoginsRefused](),
	typeOf[RepositoryCreated](),
	typeOf[RepositoryDeleted](),
	typeOf[RepositoryRestored](),
	typeOf[RepositoryPolicyChanged](),
	typeOf[RepositoryVisibilityChanged](),
	typeOf[RepositoryDescribed](),
	typeOf[StarGiven](),
	typeOf[StarWithdrawn](),
	typeOf[ImagePushed](),
	typeOf[ImageTagged](),
	typeOf[TagDeleted](),
	typeOf[TagRestored](),
	typeOf[ManifestDeleted](),
	typeOf[ManifestRestored](),
	typeOf[BlobsSwept](),
	typeOf[PullsCounted](),
}

func typeOf[P Payload]() Type {
	var zero P
	return Type{zero, func(data []byte) (Payload, error) {
		var p P
		err := json.Unmarshal(data, &p)
		return p, err
	}}
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

// Decode reads an event's data. The error wraps ErrUnknownType when this
// program does not know the type.
func Decode(e *Event) (Payload, error) {
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
