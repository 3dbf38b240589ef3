package events

// RepositoryCreated mints a repository. A name whose repository was deleted
// can be created again; that is another repository with an id of its own.
type RepositoryCreated struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace, UUIDv7"`
	Repository string `json:"repository" jsonschema:"id of the repository, UUIDv7"`
	Name       string `json:"name" jsonschema:"full name, such as alice/app"`
}

func (RepositoryCreated) EventType() string { return "repository.created.v1" }
func (e RepositoryCreated) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryDeleted hides a repository with all it has until it is restored
// or the undelete window ends.
type RepositoryDeleted struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name"`
}

func (RepositoryDeleted) EventType() string { return "repository.deleted.v1" }
func (e RepositoryDeleted) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryRestored undoes a deletion.
type RepositoryRestored struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository that lives again"`
	Name       string `json:"name" jsonschema:"full name"`
}

func (RepositoryRestored) EventType() string { return "repository.restored.v1" }
func (e RepositoryRestored) Subject() string { return RepositorySubject(e.Namespace, e.Name) }

// RepositoryPolicyChanged states a repository's whole policy anew.
type RepositoryPolicyChanged struct {
	Namespace  string           `json:"namespace" jsonschema:"id of the namespace"`
	Repository string           `json:"repository" jsonschema:"id of the repository"`
	Name       string           `json:"name" jsonschema:"full name"`
	Policy     RepositoryPolicy `json:"policy"`
}

// RepositoryPolicy is what a repository accepts. The zero value is the default.
type RepositoryPolicy struct {
	SparseIndexes bool `json:"sparseIndexes,omitempty" jsonschema:"accept an index some of whose manifests are not there"`
}

func (RepositoryPolicyChanged) EventType() string { return "repository.policy_changed.v1" }
func (e RepositoryPolicyChanged) Subject() string { return RepositorySubject(e.Namespace, e.Name) }
