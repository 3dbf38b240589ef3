package events

// Kinds of refs.
const (
	RefBranch = "branch"
	RefTag    = "tag"
)

// RefMoved says where a branch or tag of a source points to now. Several moves
// between two looks at the git host are one.
type RefMoved struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Ref       string `json:"ref" jsonschema:"full name, such as refs/heads/main"`
	Kind      string `json:"kind" jsonschema:"branch or tag"`
	Old       string `json:"old,omitempty" jsonschema:"id of the commit before; absent when there was no such ref"`
	New       string `json:"new,omitempty" jsonschema:"id of the commit; absent when the ref was deleted"`
	Annotated string `json:"annotated,omitempty" jsonschema:"id of the tag object, when the tag is an annotated one"`
	Initial   bool   `json:"initial,omitempty" jsonschema:"the ref was there when the source was first swept"`
}

func (RefMoved) EventType() string { return "ref.moved.v1" }
func (e RefMoved) Subject() string { return RefSubject(e.Namespace, e.Source, e.Ref) }

// RefSubject is that of one branch or tag of a source.
func RefSubject(namespaceID, sourceID, ref string) string {
	return SubjectPrefix + namespaceID + ".ref." + sourceID + "-" + HashName(ref)
}

// RefsRecorded says that the first sweep of a source is complete: refs that are
// seen from now on are new.
type RefsRecorded struct {
	Namespace string `json:"namespace" jsonschema:"id of the namespace"`
	Source    string `json:"source" jsonschema:"id of the source"`
	Refs      int    `json:"refs" jsonschema:"branches and tags that were there"`
}

func (RefsRecorded) EventType() string { return "refs.recorded.v1" }
func (e RefsRecorded) Subject() string { return RefsSubject(e.Namespace, e.Source) }

// RefsSubject is that of the first sweep of a source.
func RefsSubject(namespaceID, sourceID string) string {
	return SubjectPrefix + namespaceID + ".refs." + sourceID
}
