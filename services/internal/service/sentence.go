package service

import "hubledger/events"

// A Sentence describes events of one type to people. It begins with the verb,
// because the actor is shown before it ("alice" "pushed app:1.0").
type Sentence struct {
	Type string // of the event, such as image.pushed.v1
	tell func(n Names, p events.Payload) Text
}

// Tell makes the sentence for events with a payload of type P: as parts, or as plain
// text without references.
func Tell[P events.Payload, T Text | string](tell func(n Names, p P) T) Sentence {
	var zero P
	return Sentence{zero.EventType(), func(n Names, p events.Payload) Text { return Say(tell(n, p.(P))) }}
}

// Names looks up the names of ids. For an id without a known name it returns the
// id.
type Names interface {
	// Account is the name of a user, an organization or a robot account.
	Account(id string) string
	// Team is the name of a team in its organization, also of one that was deleted.
	Team(organization, team string) string
	// Repository is a repository's full name.
	Repository(id string) string
	// Source is a git source's full name.
	Source(id string) string
	// Token is what its owner calls a token, and the id of the owner; both are "" when
	// nothing is known of it.
	Token(id string) (name, owner string)
}

// Sentences are the sentences of several services, by event type.
type Sentences map[string]Sentence

// SentencesOf collects the sentences of services.
func SentencesOf(services []Service) Sentences {
	all := Sentences{}
	for _, s := range services {
		for _, sentence := range s.Sentences {
			all[sentence.Type] = sentence
		}
	}
	return all
}

// Say describes an event by the sentence of its type, or by its subject if there is
// none.
func (s Sentences) Say(n Names, e *events.Event) Text {
	if _, redacted := e.Redacted(); redacted {
		return Say("redacted: what this event said was taken away")
	}
	if sentence, ok := s[e.Type()]; ok {
		if p, err := events.Decode(e); err == nil {
			return sentence.tell(n, p)
		}
	}
	return Say(e.Subject)
}
