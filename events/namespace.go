package events

// NamespaceCreated is the first fact of a namespace: the part of a
// repository's name before its first slash.
type NamespaceCreated struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace, UUIDv7"`
	Name      string `json:"name" jsonschema:"such as alice"`
}

func (NamespaceCreated) EventType() string { return "namespace.created.v1" }
func (e NamespaceCreated) Subject() string { return NamespaceSubject(e.Name) }
