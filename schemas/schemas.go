// Package schemas holds the JSON Schema (2020-12) of every type of event, for
// whoever reads the log with tools of their own. They are generated from the
// Go types by `task gen`; a test compares.
package schemas

import "embed"

//go:embed *.json
var files embed.FS

// Of is the schema of an event type such as "image.pushed.v1". The error is
// fs.ErrNotExist for a type without one.
func Of(eventType string) ([]byte, error) { return files.ReadFile(eventType + ".json") }
