package apitypes

import (
	"time"

	"hubledger/events"
)

// AppHosts are the hosts of an environment, by the roles of services.
type AppHosts struct {
	Web       []string   `json:"web,omitempty" maxItems:"200" doc:"Hosts of the services that answer HTTP, by name"`
	Worker    []string   `json:"worker,omitempty" maxItems:"200" doc:"Hosts of the workers"`
	Stateful  []string   `json:"stateful,omitempty" maxItems:"1" doc:"The host of the stateful services"`
	Changed   *time.Time `json:"changed,omitempty" readOnly:"true" doc:"When they were set"`
	ChangedBy string     `json:"changedBy,omitempty" readOnly:"true" doc:"Who set them"`
	Seq       *uint64    `json:"seq,omitempty" doc:"Sequence of the event that set them, 0 for never; in a request: they are only set if it still is this one"`
}

// An AppPolicy says how an environment is deployed to.
type AppPolicy struct {
	Policy    events.DeployPolicy `json:"policy" doc:"As it was set"`
	Changed   *time.Time          `json:"changed,omitempty" readOnly:"true" doc:"When it was set; absent: never, what is absent is as in the documentation"`
	ChangedBy string              `json:"changedBy,omitempty" readOnly:"true" doc:"Who set it"`
	Seq       uint64              `json:"seq" readOnly:"true" doc:"Sequence of the event that set it, 0 for never"`
	Hooks     []string            `json:"hooks,omitempty" readOnly:"true" doc:"Names of the gates that have a URL at which an error tracker reports; absent within an environment"`
}

// A SetAppPolicyRequest says how an environment is deployed to.
type SetAppPolicyRequest struct {
	events.DeployPolicy
	Seq *uint64 `json:"seq,omitempty" doc:"The policy is only set if it still is that of this event, 0 for never set; absent: whatever it is"`
}

// A DeployRequest asks for a deployment.
type DeployRequest struct {
	Release  int    `json:"release" minimum:"1" maximum:"1000000000" doc:"Number of the release"`
	Rollback bool   `json:"rollback,omitempty" doc:"It is to have all traffic as soon as it is healthy on all hosts: no steps, no gates, no freeze"`
	Note     string `json:"note,omitempty" maxLength:"1000" doc:"What to say of it"`
}

// A DeploymentAction is what a person decides about a deployment.
type DeploymentAction struct {
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Why; for a promotion over gates that have not passed, and for a verdict, it has to be there"`
}

// An ExcludeHostRequest lets a deployment go on without a host.
type ExcludeHostRequest struct {
	Host   string `json:"host" maxLength:"80" doc:"Name of the host"`
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Why"`
}

// A GateRequest is what a person says of a gate.
type GateRequest struct {
	Verdict string `json:"verdict" enum:"pass,fail,inconclusive" doc:"From now on the gate measures no more in this deployment"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why"`
}

// A GateHookRequest makes the URL of a gate.
type GateHookRequest struct {
	Key string `json:"key,omitempty" maxLength:"500" doc:"By which requests are signed, such as the client secret of an integration of Sentry; absent: the URL is enough"`
}

// A GateHook is the URL at which an error tracker reports.
type GateHook struct {
	URL    string `json:"url" doc:"It is shown once, and is a secret: whoever knows it can let the gate fail"`
	Signed bool   `json:"signed,omitempty" doc:"Requests have to be signed, too"`
	Seq    uint64 `json:"seq" doc:"Sequence of the event"`
}

// TakenReports is what becomes of what an error tracker has sent.
type TakenReports struct {
	Counted int    `json:"counted" doc:"Reports about colours of the deployment that goes on now"`
	Why     string `json:"why,omitempty" doc:"Why the others do not count"`
}

// A Deployment is one of an environment.
type Deployment struct {
	ID          string             `json:"id" doc:"Id of the deployment"`
	Application string             `json:"application" doc:"Full name of the application"`
	Environment string             `json:"environment" doc:"Name of the environment"`
	Kind        string             `json:"kind" doc:"deploy or rollback"`
	Release     int                `json:"release" doc:"Number of the release"`
	Replaces    int                `json:"replaces,omitempty" doc:"Number of the release that had the traffic; absent when none had"`
	Colour      string             `json:"colour" doc:"Where it came up: blue or green"`
	Step        string             `json:"step" doc:"requested, pulling, starting, ready, shifting, held, draining, returning, leaving or ended"`
	Outcome     string             `json:"outcome,omitempty" doc:"How it ended, or is about to: promoted, rolled_back, cancelled, failed or refused"`
	Share       int                `json:"share" doc:"Percent of the traffic that its colour has; when it has ended, had at the end"`
	Final       bool               `json:"final,omitempty" doc:"It has ended: another deployment can have the environment"`
	By          string             `json:"by" doc:"Who has asked for it"`
	PromotedBy  string             `json:"promotedBy,omitempty" doc:"Who has promoted it, last"`
	Two         bool               `json:"two,omitempty" doc:"Its policy wants somebody else than who asked for it to promote it"`
	Note        string             `json:"note,omitempty" doc:"What was said of it"`
	Requested   *time.Time         `json:"requested,omitempty" doc:"When"`
	Waits       string             `json:"waits,omitempty" doc:"What it waits for now, for people"`
	Can         []string           `json:"can,omitempty" doc:"What a person may do: promote, rollback, cancel, exclude-host"`
	Reasons     []string           `json:"reasons,omitempty" doc:"Why it was refused, or has failed"`
	Log         string             `json:"log,omitempty" doc:"The end of what the container wrote that failed; absent in lists"`
	HealthLog   string             `json:"healthLog,omitempty" doc:"What its health check said last; absent in lists"`
	Hosts       []DeploymentHost   `json:"hosts,omitempty" doc:"As they are seen now; absent in lists and when it has ended"`
	Gates       []DeploymentGate   `json:"gates,omitempty" doc:"Their latest verdicts; absent in lists"`
	History     []DeploymentChange `json:"history,omitempty" doc:"Its events; absent in lists"`
	Seq         uint64             `json:"seq" doc:"Sequence of its latest event"`
}

// A DeploymentHost is a host as a deployment sees it.
type DeploymentHost struct {
	Name     string           `json:"name" doc:"Name of the host"`
	Grey     bool             `json:"grey,omitempty" doc:"Nothing was heard of it for a while: what runs there is not known"`
	Excluded bool             `json:"excluded,omitempty" doc:"The deployment goes on without it"`
	Error    string           `json:"error,omitempty" doc:"Why its engine does not answer"`
	Sides    []DeploymentSide `json:"sides,omitempty" doc:"The colours and the stateful services there"`
}

// A DeploymentSide is a colour on a host, or its stateful services.
type DeploymentSide struct {
	Colour   string `json:"colour,omitempty" doc:"blue or green; absent for the stateful services"`
	Release  int    `json:"release" doc:"Number of the release that is wanted there"`
	Wanted   string `json:"wanted" doc:"pull, run, drain or keep"`
	Reached  string `json:"reached,omitempty" doc:"How far the host is; absent when it has not said"`
	Healthy  bool   `json:"healthy,omitempty" doc:"All containers that are to run are healthy"`
	Drained  bool   `json:"drained,omitempty" doc:"No session and no container is left"`
	Pulled   int64  `json:"pulled,omitempty" doc:"Bytes so far"`
	ToPull   int64  `json:"toPull,omitempty" doc:"Bytes in all, as far as is known"`
	Running  int    `json:"running" doc:"Containers that run"`
	Sessions int    `json:"sessions" doc:"Open sessions of the balancer; -1: not known"`
	Error    string `json:"error,omitempty" doc:"Why it cannot get on"`
}

// A DeploymentGate is a gate with its latest verdict.
type DeploymentGate struct {
	Name    string     `json:"name" doc:"Name of the gate"`
	Kind    string     `json:"kind" doc:"http, manual, prometheus or webhook"`
	Verdict string     `json:"verdict" doc:"pass, fail, inconclusive, or none so far"`
	Reason  string     `json:"reason,omitempty" doc:"Why"`
	Manual  bool       `json:"manual,omitempty" doc:"A person has said so"`
	Since   *time.Time `json:"since,omitempty" doc:"Since when"`
	Seq     uint64     `json:"seq,omitempty" doc:"Sequence of that event"`

	Measured   []GateColour `json:"measured,omitempty" doc:"What it measures now of each colour that it asks; absent when it measures no more, and on nodes that do not measure"`
	MeasuredAt *time.Time   `json:"measuredAt,omitempty" doc:"When it did so last"`
}

// A GateColour is what a gate has found of one colour.
type GateColour struct {
	Colour string   `json:"colour" doc:"blue or green"`
	Found  string   `json:"found" doc:"What was found, or why nothing was, for people"`
	Value  *float64 `json:"value,omitempty" doc:"The number of the query, or how many issues are open; absent where there is none"`
}

// A DeploymentChange is an event of a deployment.
type DeploymentChange struct {
	Seq  uint64     `json:"seq" doc:"Sequence of the event"`
	Time *time.Time `json:"time" doc:"When"`
	By   string     `json:"by" doc:"Who"`
	Type string     `json:"type" doc:"Type of the event"`
	What string     `json:"what" doc:"In a few words"`
}

// A RunningState is what runs where in an environment, now or at a time.
type RunningState struct {
	Deployment string        `json:"deployment,omitempty" doc:"Id of the latest deployment by then"`
	Step       string        `json:"step" doc:"Where the environment was"`
	Seq        uint64        `json:"seq" doc:"Sequence of the latest event by then"`
	Sides      []RunningSide `json:"sides" nullable:"false" doc:"The colours, and the stateful services"`
}

// A RunningEnvironment is what runs where in one of several environments.
type RunningEnvironment struct {
	Application string `json:"application" doc:"Full name of the application"`
	Environment string `json:"environment" doc:"Name of the environment"`
	RunningState
}

// A RunningSide is what a colour has, or the stateful services.
type RunningSide struct {
	Colour     string         `json:"colour,omitempty" doc:"blue or green; absent for the stateful services"`
	Release    int            `json:"release" doc:"Number of the release"`
	Deployment string         `json:"deployment" doc:"Id of the deployment that brought it"`
	Phase      string         `json:"phase" doc:"pull, run, drain or keep"`
	Share      int            `json:"share" doc:"Percent of the traffic"`
	Seq        uint64         `json:"seq" doc:"Sequence of the event that brought it to its phase"`
	Hosts      []string       `json:"hosts" nullable:"false" doc:"By name"`
	Images     []ReleaseImage `json:"images" nullable:"false" doc:"By service"`
}

// An OpenDeployment is one that has not ended, or has failed, with what it needs of the caller.
type OpenDeployment struct {
	ID          string `json:"id" doc:"Id of the deployment"`
	Application string `json:"application" doc:"Full name of the application"`
	Environment string `json:"environment" doc:"Name of the environment"`
	Release     int    `json:"release" doc:"Number of the release that it brings"`
	Now         AppNow `json:"now" doc:"How the environment stands"`
	Needs       string `json:"needs,omitempty" doc:"What it needs of the caller, for people; absent when it needs nothing, or others decide"`
}
