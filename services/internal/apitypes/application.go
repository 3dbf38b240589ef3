package apitypes

import "time"

// An Application is what a namespace runs, by a Compose file.
type Application struct {
	Name         string           `json:"name" doc:"Full name, such as acme/shop"`
	Keep         int              `json:"keep" doc:"How many of the latest releases keep their images"`
	Digest       string           `json:"digest" doc:"Digest of the Compose file"`
	Compose      string           `json:"compose,omitempty" doc:"Text of the Compose file; absent in lists"`
	Services     []AppService     `json:"services,omitempty" doc:"By name; absent in lists"`
	Environments []AppEnvironment `json:"environments,omitempty" doc:"By name; in lists without what is missing and wrong"`
	Latest       int              `json:"latest,omitempty" doc:"Number of the latest release; absent when there is none"`
	Changed      *time.Time       `json:"changed,omitempty" doc:"When it was created or changed last"`
	ChangedBy    string           `json:"changedBy,omitempty" doc:"Who did that"`
	Seq          uint64           `json:"seq" doc:"Sequence of that change"`
}

// An AppService is one service of an application's Compose file.
type AppService struct {
	Name  string `json:"name" doc:"Name in the Compose file"`
	Role  string `json:"role" doc:"web, worker or stateful"`
	Image string `json:"image" doc:"As the Compose file names it"`
	Blue  int    `json:"blue,omitempty" doc:"Of a web service: port of hosts for its blue side"`
	Green int    `json:"green,omitempty" doc:"Of a web service: port of hosts for its green side"`
	Probe string `json:"probe,omitempty" doc:"Of a web service: path that answers 200 when it is healthy"`
	Host  string `json:"host,omitempty" doc:"Of a web service: header Host of the probe"`
}

// An AppEnvironment is a place where an application runs.
type AppEnvironment struct {
	Name      string     `json:"name" doc:"Such as production"`
	Version   int        `json:"version,omitempty" doc:"Version of its configuration; absent when there is none"`
	Missing   []string   `json:"missing,omitempty" doc:"Variables of the Compose file that it does not set"`
	Problems  []string   `json:"problems,omitempty" doc:"What is wrong with the Compose file by its configuration"`
	Created   *time.Time `json:"created,omitempty" doc:"When it was created"`
	CreatedBy string     `json:"createdBy,omitempty" doc:"Who created it"`
	Now       *AppNow    `json:"now,omitempty" doc:"How it stands"`
}

// An AppNow is how an environment stands.
type AppNow struct {
	Release    int            `json:"release,omitempty" doc:"Number of the release that has most of the traffic; absent when none has any"`
	Colour     string         `json:"colour,omitempty" doc:"Where that release is: blue or green"`
	Share      int            `json:"share,omitempty" doc:"Percent of the traffic that it has"`
	Images     []ReleaseImage `json:"images,omitempty" doc:"Images of that release, of this hub if there are any: at most three, by the names of their services"`
	Pinned     int            `json:"pinned,omitempty" doc:"How many images it has"`
	Deployment string         `json:"deployment,omitempty" doc:"Id of the latest deployment"`
	Deploys    int            `json:"deploys,omitempty" doc:"Number of the release that the latest deployment brings, or brought"`
	Step       string         `json:"step" doc:"That of the latest deployment, or idle when there was none"`
	Outcome    string         `json:"outcome,omitempty" doc:"How that ended, or is about to"`
	By         string         `json:"by,omitempty" doc:"Who has asked for it"`
	Overdue    bool           `json:"overdue,omitempty" doc:"Its step takes longer than it should"`
	Changed    *time.Time     `json:"changed,omitempty" doc:"When that was"`
	Seq        uint64         `json:"seq" doc:"Sequence of the latest event of the environment"`
}

// An EnvironmentDetails is an environment with all that is told of it.
type EnvironmentDetails struct {
	Application string           `json:"application" doc:"Full name of the application"`
	Latest      int              `json:"latest,omitempty" doc:"Number of the latest release of the application; absent when there is none"`
	Environment AppEnvironment   `json:"environment" doc:"Without what is missing and wrong"`
	Running     RunningState     `json:"running" doc:"What hosts were told to run"`
	Hosts       []DeploymentHost `json:"hosts,omitempty" doc:"As they are seen now"`
	Deployment  *Deployment      `json:"deployment,omitempty" doc:"The latest one"`
	Placement   AppHosts         `json:"placement" doc:"Hosts of the next deployment"`
	Policy      AppPolicy        `json:"policy" doc:"That of the next deployment"`
}

// A CreateApplicationRequest makes an application.
type CreateApplicationRequest struct {
	Name    string `json:"name" maxLength:"40" doc:"Name in the namespace: lower-case letters, digits and -"`
	Compose string `json:"compose" maxLength:"131072" doc:"Text of the Compose file"`
	Keep    int    `json:"keep,omitempty" minimum:"1" maximum:"100" doc:"How many of the latest releases keep their images; default: 5"`
}

// A ChangeApplicationRequest changes an application; what is absent stays.
type ChangeApplicationRequest struct {
	Compose *string `json:"compose,omitempty" maxLength:"131072" doc:"Text of the Compose file"`
	Keep    *int    `json:"keep,omitempty" minimum:"1" maximum:"100" doc:"How many of the latest releases keep their images"`
	Seq     *uint64 `json:"seq,omitempty" doc:"Sequence of the change that was looked at: refused with 409 when there is a later one"`
}

// A CheckComposeRequest asks what a Compose file comes to.
type CheckComposeRequest struct {
	Compose string `json:"compose" maxLength:"131072" doc:"Text of the Compose file"`
}

// A CheckedCompose is what a Compose file comes to.
type CheckedCompose struct {
	Problems []ComposeProblem `json:"problems" nullable:"false" doc:"Why it is refused, by line; none when it is not"`
	Missing  []string         `json:"missing,omitempty" doc:"Variables that the configuration of each environment has to set"`
	Services []AppService     `json:"services,omitempty" doc:"By name; absent when it is refused"`
}

// A ComposeProblem is a reason why a Compose file is refused.
type ComposeProblem struct {
	Path string `json:"path,omitempty" doc:"The field, such as services.web.privileged; absent for the whole file"`
	Line int    `json:"line,omitempty" doc:"Line of the file; absent where it is not known"`
	Text string `json:"text" doc:"What is wrong, why, and what to write"`
}

// A Configuration is what an environment is set to.
type Configuration struct {
	Version   int           `json:"version" doc:"Counts the changes; 0 before the first"`
	Values    []ConfigValue `json:"values" nullable:"false" doc:"Values that are no secrets, by name"`
	Secrets   []string      `json:"secrets" nullable:"false" doc:"Names of the secrets; their values are never shown"`
	Changed   *time.Time    `json:"changed,omitempty" doc:"When it was changed last"`
	ChangedBy string        `json:"changedBy,omitempty" doc:"Who changed it"`
	Seq       uint64        `json:"seq" doc:"Sequence of the event that changed it, 0 for never"`
}

// A ConfigValue is one value of a configuration.
type ConfigValue struct {
	Name  string `json:"name" doc:"By which containers have it in their environment"`
	Value string `json:"value" doc:"The value"`
}

// A SetConfigRequest gives a key of a configuration, or a secret, a value.
type SetConfigRequest struct {
	Value string  `json:"value" maxLength:"65536" doc:"The value, as text"`
	Seq   *uint64 `json:"seq,omitempty" doc:"It is only set if the configuration still is that of this event, 0 for never set; absent: whatever it is"`
}

// A MakeReleaseRequest makes a release.
type MakeReleaseRequest struct {
	Note string `json:"note,omitempty" maxLength:"1000" doc:"What to say of it"`
}

// A Release pins what an application is made of.
type Release struct {
	Application    string          `json:"application" doc:"Full name of the application"`
	Number         int             `json:"number" doc:"Counts the releases of the application"`
	Digest         string          `json:"digest" doc:"Digest of the Compose file"`
	Compose        string          `json:"compose,omitempty" doc:"Text of the Compose file; absent in lists"`
	Images         []ReleaseImage  `json:"images" nullable:"false" doc:"By service"`
	Configurations []ReleaseConfig `json:"configurations" nullable:"false" doc:"Of the environments that there were"`
	Note           string          `json:"note,omitempty" doc:"What its maker says of it"`
	Kept           bool            `json:"kept" doc:"It is one of the latest releases, whose images cannot be deleted"`
	Made           *time.Time      `json:"made,omitempty" doc:"When it was made"`
	MadeBy         string          `json:"madeBy,omitempty" doc:"Who made it"`
	Seq            uint64          `json:"seq" doc:"Sequence of its event"`
	Unchanged      bool            `json:"unchanged,omitempty" doc:"In the answer to making a release: nothing differs from this one, the latest, so no other was made"`
}

// A ReleaseImage is the image of one service.
type ReleaseImage struct {
	Service string `json:"service" doc:"Name of the service"`
	Image   string `json:"image" doc:"As the Compose file names it"`
	Name    string `json:"name" doc:"Full name of the repository, with the registry if that is another one"`
	Here    bool   `json:"here,omitempty" doc:"The repository is of this hub"`
	Tag     string `json:"tag,omitempty" doc:"Tag that named it when the release was made"`
	Digest  string `json:"digest" doc:"Digest of the manifest"`
	Missing bool   `json:"missing,omitempty" doc:"The image was deleted since, and the release cannot be deployed until it is restored; or it is of another namespace, and you may not pull it"`
	Build   string `json:"build,omitempty" doc:"Id of the build that made it, where the caller may see it"`
	Commit  string `json:"commit,omitempty" doc:"Commit that was built"`
}

// A ReleaseConfig is the configuration of one environment, as of a release.
type ReleaseConfig struct {
	Environment string `json:"environment" doc:"Name of the environment"`
	Version     int    `json:"version" doc:"Version of its configuration; 0 when it had none"`
	// Values and Secrets are names.
	Values  []string `json:"values,omitempty" doc:"Names of its values; absent in lists"`
	Secrets []string `json:"secrets,omitempty" doc:"Names of its secrets; absent in lists"`
}

// A ReleaseDiff is what differs between two releases.
type ReleaseDiff struct {
	From           int          `json:"from" doc:"Number of the one; 0 for nothing"`
	To             int          `json:"to" doc:"Number of the other"`
	Images         []ImageDiff  `json:"images" nullable:"false" doc:"Services whose images differ"`
	Configurations []ConfigDiff `json:"configurations" nullable:"false" doc:"Environments whose configurations differ"`
	Compose        []LineDiff   `json:"compose" nullable:"false" doc:"Lines of the Compose file that differ, with some around them; none when it is the same"`
}

// An ImageDiff is a service that has another image.
type ImageDiff struct {
	Service string        `json:"service" doc:"Name of the service"`
	From    *ReleaseImage `json:"from,omitempty" doc:"Absent when the service is new"`
	To      *ReleaseImage `json:"to,omitempty" doc:"Absent when the service is gone"`
}

// A ConfigDiff is an environment that is set otherwise.
type ConfigDiff struct {
	Environment string   `json:"environment" doc:"Name of the environment"`
	From        int      `json:"from" doc:"Version of the configuration; 0 for none"`
	To          int      `json:"to" doc:"Version of the configuration; 0 for none"`
	Keys        []string `json:"keys" nullable:"false" doc:"Names of the values and secrets that differ"`
}

// A LineDiff is a line of a text that was compared.
type LineDiff struct {
	Sign string `json:"sign" doc:"- for a line of the one, + for a line of the other, a space for one of both, … for lines that are left out"`
	From int    `json:"from,omitempty" doc:"Number of the line in the one"`
	To   int    `json:"to,omitempty" doc:"Number of the line in the other"`
	Text string `json:"text" doc:"The line"`
}
