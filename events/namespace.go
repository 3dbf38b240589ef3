package events

// Kinds of namespaces. One that a push made before there were accounts has
// none; it belongs to the first administrator until it is adopted.
const (
	KindUser         = "user"
	KindOrganization = "organization"
)

// NamespaceCreated is the first fact of a namespace: the part of a
// repository's name before its first slash. A user and an organization are
// each the namespace of their name, and share its id.
type NamespaceCreated struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace, UUIDv7; also the id of its user or organization"`
	Name      string `json:"name" jsonschema:"such as alice"`
	Kind      string `json:"kind,omitempty" jsonschema:"user or organization; absent when a push made it before there were accounts"`
}

func (NamespaceCreated) EventType() string { return "namespace.created.v1" }
func (e NamespaceCreated) Subject() string { return NamespaceSubject(e.Name) }

// NamespaceAdopted gives a namespace without a kind to a new user or
// organization of its name, who get its id and its repositories.
type NamespaceAdopted struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace, from now on of its user or organization"`
	Name      string `json:"name"`
	Kind      string `json:"kind" jsonschema:"user or organization"`
}

func (NamespaceAdopted) EventType() string { return "namespace.adopted.v1" }
func (e NamespaceAdopted) Subject() string { return NamespaceSubject(e.Name) }

// QuotaSet states what a namespace may hold. Zero means no limit.
type QuotaSet struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Bytes     int64  `json:"bytes" jsonschema:"of distinct blobs and manifests that live images hold; 0 for no limit"`
	Images    int64  `json:"images" jsonschema:"live manifests; 0 for no limit"`
}

func (QuotaSet) EventType() string { return "quota.set.v1" }
func (e QuotaSet) Subject() string { return QuotaSubject(e.Namespace) }
