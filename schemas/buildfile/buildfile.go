// Package buildfile holds the JSON Schema (2020-12) of .hubledger.yml, for editors
// and other tools. It is written by hand; a test of services/internal/buildrule holds it
// and the reader of the file to each other. What depends on several values, such as
// needs in a circle, only the reader refuses.
package buildfile

import _ "embed"

// Schema is the text of the schema.
//
//go:embed hubledger.yml.json
var Schema []byte
