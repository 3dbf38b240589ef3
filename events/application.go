package events

// ApplicationCreated mints an application: what a namespace runs, by a Compose file. A
// name whose application was deleted can be created again; that is another application
// with an id of its own.
type ApplicationCreated struct {
	Namespace   string              `json:"namespace" jsonschema:"id of the namespace"`
	Application string              `json:"application" jsonschema:"id of the application, UUIDv7"`
	Name        string              `json:"name" jsonschema:"full name, such as acme/shop"`
	Settings    ApplicationSettings `json:"settings"`
}

// ApplicationSettings are all settings of an application.
type ApplicationSettings struct {
	Digest  string `json:"digest" jsonschema:"digest of the Compose file"`
	Compose string `json:"compose,omitempty" jsonschema:"text of the Compose file; absent when it is that of before"`
	Keep    int    `json:"keep" jsonschema:"so many latest releases keep their images"`
}

func (ApplicationCreated) EventType() string { return "application.created.v1" }
func (e ApplicationCreated) Subject() string { return ApplicationSubject(e.Namespace, e.Name) }

// ApplicationChanged replaces the settings of an application.
type ApplicationChanged struct {
	Namespace   string              `json:"namespace" jsonschema:"id of the namespace"`
	Application string              `json:"application" jsonschema:"id of the application"`
	Name        string              `json:"name" jsonschema:"full name"`
	Settings    ApplicationSettings `json:"settings" jsonschema:"all settings from now on"`
}

func (ApplicationChanged) EventType() string { return "application.changed.v1" }
func (e ApplicationChanged) Subject() string { return ApplicationSubject(e.Namespace, e.Name) }

// ApplicationDeleted ends an application. Its secrets are destroyed, and its releases
// keep no images any more.
type ApplicationDeleted struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name"`
}

func (ApplicationDeleted) EventType() string { return "application.deleted.v1" }
func (e ApplicationDeleted) Subject() string { return ApplicationSubject(e.Namespace, e.Name) }

// EnvironmentCreated gives an application a place to run in, such as production.
type EnvironmentCreated struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name of the application"`
	Environment string `json:"environment" jsonschema:"id of the environment, UUIDv7"`
	Called      string `json:"called" jsonschema:"name of the environment, such as production"`
}

func (EnvironmentCreated) EventType() string { return "environment.created.v1" }
func (e EnvironmentCreated) Subject() string {
	return EnvironmentSubject(e.Namespace, e.Application, e.Called)
}

// EnvironmentDeleted ends an environment. Its secrets are destroyed.
type EnvironmentDeleted struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name of the application"`
	Environment string `json:"environment" jsonschema:"id of the environment"`
	Called      string `json:"called" jsonschema:"name of the environment"`
}

func (EnvironmentDeleted) EventType() string { return "environment.deleted.v1" }
func (e EnvironmentDeleted) Subject() string {
	return EnvironmentSubject(e.Namespace, e.Application, e.Called)
}

// ConfigurationSet is the whole configuration of an environment from now on. Versions
// count from 1; a release names one, and so can be run again as it was. What values and
// secrets are stands in records beside the log.
type ConfigurationSet struct {
	Namespace   string                `json:"namespace" jsonschema:"id of the namespace"`
	Application string                `json:"application" jsonschema:"id of the application"`
	Name        string                `json:"name" jsonschema:"full name of the application"`
	Environment string                `json:"environment" jsonschema:"id of the environment"`
	Called      string                `json:"called" jsonschema:"name of the environment"`
	Version     int                   `json:"version" jsonschema:"one more than that of before, from 1"`
	Changed     []string              `json:"changed" jsonschema:"names of the values and secrets that differ from the version before"`
	Values      []ConfigurationRecord `json:"values,omitempty" jsonschema:"what owners may read again, by name"`
	Secrets     []ConfigurationRecord `json:"secrets,omitempty" jsonschema:"what nobody is shown, by name"`
}

// A ConfigurationRecord is a value or a secret of an environment, which is kept elsewhere.
type ConfigurationRecord struct {
	Name   string `json:"name" jsonschema:"by which containers have it in their environment"`
	Record string `json:"record" jsonschema:"names the record that has it; another one for each value"`
}

func (ConfigurationSet) EventType() string { return "configuration.set.v1" }
func (e ConfigurationSet) Subject() string {
	return ConfigurationSubject(e.Namespace, e.Environment)
}

// ReleaseMade pins what an application is made of: its Compose file, each image by
// digest, and the configuration of each environment.
type ReleaseMade struct {
	Namespace      string                 `json:"namespace" jsonschema:"id of the namespace"`
	Application    string                 `json:"application" jsonschema:"id of the application"`
	Name           string                 `json:"name" jsonschema:"full name of the application"`
	Number         int                    `json:"number" jsonschema:"one more than that of the release before, from 1"`
	Digest         string                 `json:"digest" jsonschema:"digest of the Compose file"`
	Images         []ReleaseImage         `json:"images" jsonschema:"by service"`
	Configurations []ReleaseConfiguration `json:"configurations,omitempty" jsonschema:"of the environments that there were"`
	Note           string                 `json:"note,omitempty" jsonschema:"what its maker says of it"`
}

// A ReleaseImage is the image of one service.
type ReleaseImage struct {
	Service    string `json:"service" jsonschema:"name of the service"`
	Image      string `json:"image" jsonschema:"as the Compose file names it"`
	Repository string `json:"repository,omitempty" jsonschema:"id of the repository of this hub; absent for an image of another registry"`
	Name       string `json:"name" jsonschema:"full name of the repository, with the registry if that is another one"`
	Tag        string `json:"tag,omitempty" jsonschema:"tag that named it; absent when the Compose file has a digest"`
	Digest     string `json:"digest" jsonschema:"digest of the manifest"`
	Held       bool   `json:"held,omitempty" jsonschema:"the manifest cannot be deleted while the application keeps the release: it is in a repository of the same namespace"`
}

// A ReleaseConfiguration is the version of one environment's configuration.
type ReleaseConfiguration struct {
	Environment string `json:"environment" jsonschema:"id of the environment"`
	Called      string `json:"called" jsonschema:"name of the environment"`
	Version     int    `json:"version" jsonschema:"version of its configuration; 0 when it has none"`
}

func (ReleaseMade) EventType() string { return "release.made.v1" }
func (e ReleaseMade) Subject() string { return ReleaseSubject(e.Namespace, e.Application) }

// ApplicationSubject is that of the applications of that full name, which exist one
// after another.
func ApplicationSubject(namespaceID, name string) string {
	return SubjectPrefix + namespaceID + ".application." + HashName(name)
}

// EnvironmentSubject is that of the environments of that name of an application, which
// exist one after another, and of what is deployed to them: whoever deploys expects its
// latest event, so that one deployment at a time has the environment.
func EnvironmentSubject(namespaceID, applicationID, name string) string {
	return SubjectPrefix + namespaceID + ".environment." + applicationID + "-" + HashName(name)
}

// ConfigurationSubject is that of the versions of an environment's configuration.
func ConfigurationSubject(namespaceID, environmentID string) string {
	return SubjectPrefix + namespaceID + ".configuration." + environmentID
}

// ReleaseSubject is that of the releases of an application.
func ReleaseSubject(namespaceID, applicationID string) string {
	return SubjectPrefix + namespaceID + ".release." + applicationID
}
