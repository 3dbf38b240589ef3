package service

import "hubledger/events"

// A Sentence tells people what the events of one type say. It begins with the
// verb: who did it stands before it ("alice" "pushed app:1.0").
type Sentence struct {
	Type string // of the event, such as image.pushed.v1
	tell func(n Names, p events.Payload) string
}

// Tell makes the sentence of the type P.
func Tell[P events.Payload](tell func(n Names, p P) string) Sentence {
	var zero P
	return Sentence{zero.EventType(), func(n Names, p events.Payload) string { return tell(n, p.(P)) }}
}

// Names finds the names that ids stand for. An id whose name is not known, or
// not any more, is its own name.
type Names interface {
	// Account is the name of a user, an organization or a robot account.
	Account(id string) string
	// Group is the name of an organization, or of a team of it.
	Group(organization, group string) string
	// Repository is a repository's full name.
	Repository(id string) string
}

// Sentences are those of several services, by event type.
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

// Tell is what an event says. An event of a type that is not known is told by its subject.
func (s Sentences) Tell(n Names, e *events.Event) string {
	sentence, ok := s[e.Type()]
	if !ok {
		return e.Subject
	}
	p, err := events.Decode(e)
	if err != nil {
		return e.Subject
	}
	return sentence.tell(n, p)
}
