// Package asyncapi describes the log for programs that read it: an AsyncAPI 3 document of all
// subjects, types of events and their schemas.
package asyncapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/schemas"
)

type object = map[string]any

// Document is the document as JSON, of a version of the program.
func Document(version string) ([]byte, error) {
	messages, channels, operations := object{}, object{}, object{}
	for _, t := range events.Types {
		name := t.Prototype.EventType()
		schema, err := schemas.Of(name)
		if err != nil {
			return nil, fmt.Errorf("the schema of %s: %w", name, err)
		}
		messages[name] = object{"name": name, "title": name, "contentType": "application/json", "headers": object{"$ref": "#/components/schemas/envelope"},
			"payload": object{"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": json.RawMessage(schema)}}
		for _, aggregate := range aggregatesOf(t.Prototype) {
			if channels[aggregate] == nil {
				channels[aggregate] = channelOf(aggregate)
			}
			channels[aggregate].(object)["messages"].(object)[name] = object{"$ref": "#/components/messages/" + name}
		}
	}
	for _, aggregate := range slices.Sorted(maps.Keys(channels)) {
		operations["record."+aggregate] = object{"action": "send", "summary": "The hub records what happens to an aggregate of the kind " + aggregate + ".",
			"channel": object{"$ref": "#/channels/" + aggregate}}
	}
	return json.MarshalIndent(object{
		"asyncapi": "3.0.0",
		"info": object{"title": "The log of a Hubledger hub", "version": version, "description": "All events are in one JetStream stream, EVT, in one order. " +
			"`hubledger nats users add` lets somebody read it; `hubledger events export` writes it to files and receivers. A released type never changes its meaning; optional fields may be added."},
		"defaultContentType": "application/json",
		"channels":           channels,
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": object{"envelope": envelope}},
	}, "", "  ")
}

// aggregatesOf are those in the subjects of a type.
func aggregatesOf(p events.Payload) (list []string) {
	of := []events.Payload{p}
	switch p.(type) { // with a tag they are the tag's
	case events.ImagePushed:
		of = append(of, events.ImagePushed{Tag: "latest"})
	case events.ImageTagged:
		of = append(of, events.ImageTagged{Tag: "latest"})
	}
	for _, p := range of {
		list = append(list, strings.Split(p.Subject(), ".")[2])
	}
	return list
}

func channelOf(aggregate string) object {
	return object{"address": events.SubjectPrefix + "{namespace}." + aggregate + ".{id}", "messages": object{}, "parameters": object{
		"namespace": object{"description": "Id of the namespace, a UUID; _ for the hub itself"},
		"id":        object{"description": "Which one of the kind; _ where there is one only"}}}
}

// envelope are the headers of an event: a CloudEvent in binary mode.
var envelope = func() object {
	text := func(about string) object { return object{"type": "string", "description": about} }
	properties := object{
		"ce-specversion": object{"type": "string", "const": "1.0"}, "ce-id": text("id of the event, a UUID"), "ce-type": text("name of the message"),
		"ce-source": text("the service that has decided it"), "ce-time": object{"type": "string", "format": "date-time", "description": "when it was recorded"},
		"ce-datacontenttype": object{"type": "string", "const": "application/json"}, "ce-actor": text("who has asked for it"),
		"ce-cause": text("id of the event that led to it"), "ce-correlation": text("id of the first event of the chain"),
		"ce-redacted": text("leaf, in hexadecimal digits, of an event whose data was taken away: the data is then only the SHA-256 and the length of what it was, not the message"),
	}
	return object{"type": "object", "properties": properties, "required": []string{"ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time"}}
}()
