package events

// TriggerCreated makes a build trigger of a repository: a URL that anybody who knows it
// may call, which has the build rules evaluated again.
type TriggerCreated struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger"`
	Name       string `json:"name" jsonschema:"what it is for, as people call it"`
	Hash       []byte `json:"hash" jsonschema:"SHA-256 of the secret in the URL, which has 256 random bits"`
}

func (TriggerCreated) EventType() string { return "trigger.created.v1" }
func (e TriggerCreated) Subject() string { return TriggerSubject(e.Namespace, e.Trigger) }

// TriggerDeleted ends a build trigger.
type TriggerDeleted struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger"`
}

func (TriggerDeleted) EventType() string { return "trigger.deleted.v1" }
func (e TriggerDeleted) Subject() string { return TriggerSubject(e.Namespace, e.Trigger) }

// TriggerSubject is that of one build trigger.
func TriggerSubject(namespaceID, triggerID string) string {
	return SubjectPrefix + namespaceID + ".trigger." + triggerID
}

// PushRequested asks for the build rules of a repository to be evaluated again for a
// branch or tag, whether it has moved or not. The evaluation has it as its cause.
type PushRequested struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Source     string `json:"source" jsonschema:"id of the git source"`
	Ref        string `json:"ref" jsonschema:"full name, such as refs/heads/main"`
	Trigger    string `json:"trigger" jsonschema:"id of the trigger that was called"`
}

func (PushRequested) EventType() string { return "push.requested.v1" }
func (e PushRequested) Subject() string {
	return PushSubject(e.Namespace, e.Repository, e.Source, e.Ref)
}
