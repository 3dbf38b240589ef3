package apitypes

import (
	"encoding/json"
	"time"
)

// An EventPart is a part of a sentence: plain text, or a reference.
type EventPart struct {
	Text string `json:"text" doc:"As people read it"`
	Kind string `json:"kind,omitempty" doc:"What is referred to: account, team, repository, tag, image, build, source or machine; absent for plain text"`
	Name string `json:"name,omitempty" doc:"Its name, such as team/app, team/app:1.0 or team/app@sha256:…; absent where it has none"`
	ID   string `json:"id,omitempty" doc:"Its id; that of the repository for a tag or an image"`
}

// An Event is an event of the log.
type Event struct {
	Seq         uint64      `json:"seq" doc:"Its place in the log"`
	ID          string      `json:"id" doc:"UUID"`
	Time        time.Time   `json:"time" doc:"When it was appended, by the clock of the hub"`
	Type        string      `json:"type" doc:"Such as image.pushed.v1"`
	Actor       string      `json:"actor" doc:"Login name of who did it; system, operator or anonymous"`
	Subject     string      `json:"subject" doc:"Of the aggregate that it belongs to"`
	Cause       string      `json:"cause,omitempty" doc:"Id of the event that led to it"`
	Correlation string      `json:"correlation,omitempty" doc:"Id of the first event of its chain"`
	Text        string      `json:"text" doc:"What happened, in a sentence that begins behind the actor"`
	Parts       []EventPart `json:"parts" nullable:"false" doc:"The sentence with what it refers to"`
}

// An EventPage is some events of the log.
type EventPage struct {
	Items   []Event `json:"items" nullable:"false" doc:"What is on the page"`
	Next    string  `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
	Scanned uint64  `json:"scanned,omitempty" doc:"The page ends because enough was looked through: the sequence as far as which it has looked. There may be more behind it. Absent when the page is full, or was the last"`
	Query   string  `json:"query" doc:"The filter in its canonical form"`
}

// A FullEvent is an event with its data.
type FullEvent struct {
	Event
	Headers  map[string]string `json:"headers" doc:"All attributes of its envelope"`
	Data     json.RawMessage   `json:"data" doc:"As it is in the log, by the JSON Schema of its type"`
	Leaf     string            `json:"leaf" doc:"SHA-256 of the event in hexadecimal digits"`
	CausedBy *Event            `json:"causedBy,omitempty" doc:"The event that led to it; absent when there is none, or you may not read it"`
	LedTo    []Event           `json:"ledTo" nullable:"false" doc:"The events that it led to directly, the oldest first"`
	More     bool              `json:"more,omitempty" doc:"It led to more than ledTo has"`
}

// Why is a chain of events, from the first cause to all effects.
type Why struct {
	Steps []WhyStep `json:"steps" nullable:"false" doc:"Each behind the one that led to it"`
	More  bool      `json:"more,omitempty" doc:"There are more causes than 50, or more effects than the thousand that were looked at"`
}

// A WhyStep is one event of a chain.
type WhyStep struct {
	Depth int    `json:"depth" doc:"One more than that of the step that led to it"`
	Asked bool   `json:"asked,omitempty" doc:"What was asked for"`
	Event *Event `json:"event,omitempty" doc:"Absent when you may not read it"`
}

// Headers of an export of events.
const (
	// HeaderThrough is the sequence as far as which an answer has all that match.
	HeaderThrough = "Hubledger-Through"
	// HeaderMore says whether there may be more behind it: true or false.
	HeaderMore = "Hubledger-More"
	// HeaderGeneration is that of the log, in which sequences count.
	HeaderGeneration = "Hubledger-Generation"
)
