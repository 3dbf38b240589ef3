package events

// BuildSecretSet gives a secret that builds of a repository may read a new value,
// which is kept elsewhere.
type BuildSecretSet struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Secret     string `json:"secret" jsonschema:"name of the secret"`
	Record     string `json:"record" jsonschema:"names the record that has the value; another one for each value"`
	ForFile    bool   `json:"forFile,omitempty" jsonschema:"rules in .hubledger.yml of a commit may name it, too"`
}

func (BuildSecretSet) EventType() string { return "build_secret.set.v1" }
func (e BuildSecretSet) Subject() string {
	return BuildSecretSubject(e.Namespace, e.Repository, e.Secret)
}

// BuildSecretRemoved takes a secret from the builds of a repository. Its value is
// destroyed.
type BuildSecretRemoved struct {
	Namespace  string `json:"namespace" jsonschema:"id of the namespace"`
	Repository string `json:"repository" jsonschema:"id of the repository"`
	Name       string `json:"name" jsonschema:"full name of the repository"`
	Secret     string `json:"secret" jsonschema:"name of the secret"`
}

func (BuildSecretRemoved) EventType() string { return "build_secret.removed.v1" }
func (e BuildSecretRemoved) Subject() string {
	return BuildSecretSubject(e.Namespace, e.Repository, e.Secret)
}

// BuildSecretSubject is that of one secret of the builds of a repository.
func BuildSecretSubject(namespaceID, repositoryID, secret string) string {
	return SubjectPrefix + namespaceID + ".build_secret." + repositoryID + "-" + HashName(secret)
}
