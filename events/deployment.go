package events

import "time"

// Kinds of deployments.
const (
	DeployForward  = "deploy"   // brings a release to an environment, in steps
	DeployRollback = "rollback" // brings a release back that it had, without waiting in between
)

// DeploymentOf says of which deployment an event is. All of them are on the subject of
// the environment, so that one deployment at a time has it.
type DeploymentOf struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name of the application"`
	Environment string `json:"environment" jsonschema:"id of the environment"`
	Called      string `json:"called" jsonschema:"name of the environment"`
	Deployment  string `json:"deployment" jsonschema:"id of the deployment, UUIDv7"`
}

// Subject is that of the environment.
func (d DeploymentOf) Subject() string {
	return EnvironmentSubject(d.Namespace, d.Application, d.Called)
}

// About says of which deployment an event is.
func (d DeploymentOf) About() DeploymentOf { return d }

// A PlacedHost is a host that an environment runs on.
type PlacedHost struct {
	Machine string `json:"machine" jsonschema:"id of the machine"`
	Name    string `json:"name" jsonschema:"what it is called"`
}

// A Placement is the hosts of an environment, by the roles of services.
type Placement struct {
	Web      []PlacedHost `json:"web,omitempty" jsonschema:"of services that answer HTTP"`
	Worker   []PlacedHost `json:"worker,omitempty" jsonschema:"of workers"`
	Stateful []PlacedHost `json:"stateful,omitempty" jsonschema:"of stateful services: at most one"`
}

// A DeploymentSide is what one colour of an environment has, or its stateful services.
type DeploymentSide struct {
	Colour     string    `json:"colour,omitempty" jsonschema:"blue or green; absent for the stateful services"`
	Phase      string    `json:"phase" jsonschema:"run: it has all traffic; keep: it is stopped, and kept; gone: it was removed"`
	Release    int       `json:"release" jsonschema:"number of its release"`
	Deployment string    `json:"deployment" jsonschema:"id of the deployment that brought it"`
	Placement  Placement `json:"placement,omitzero" jsonschema:"its hosts"`
	Fence      uint64    `json:"fence" jsonschema:"sequence of the event that changed it last"`
}

// DeploymentRequested takes an environment for a deployment. It says all that the
// deployment goes by, so that what is changed later concerns the next one.
type DeploymentRequested struct {
	DeploymentOf
	Kind      string           `json:"kind" jsonschema:"deploy or rollback"`
	Release   int              `json:"release" jsonschema:"number of the release"`
	Version   int              `json:"version" jsonschema:"version of the environment's configuration, which the release names; 0 for none"`
	Colour    string           `json:"colour" jsonschema:"where it comes up: blue or green"`
	Before    []DeploymentSide `json:"before,omitempty" jsonschema:"what the environment has: the colours, and the stateful services"`
	Placement Placement        `json:"placement" jsonschema:"the hosts"`
	Policy    DeployPolicy     `json:"policy" jsonschema:"as it was then"`
	Requester string           `json:"requester,omitempty" jsonschema:"login name by whose right it is, where that is not the actor's"`
	Note      string           `json:"note,omitempty" jsonschema:"what is to be said of it"`
}

func (DeploymentRequested) EventType() string { return "deployment.requested.v1" }

// DeploymentAdmitted says that nothing stands against a deployment: its hosts pull from
// then on.
type DeploymentAdmitted struct {
	DeploymentOf
}

func (DeploymentAdmitted) EventType() string { return "deployment.admitted.v1" }

// DeploymentRefused ends a deployment before it touched a host.
type DeploymentRefused struct {
	DeploymentOf
	Reasons []string `json:"reasons" jsonschema:"all that stands against it"`
}

func (DeploymentRefused) EventType() string { return "deployment.refused.v1" }

// DeploymentPulled says that all hosts have the images: containers start from then on.
type DeploymentPulled struct {
	DeploymentOf
	Hosts []string `json:"hosts" jsonschema:"ids of the machines that have them"`
}

func (DeploymentPulled) EventType() string { return "deployment.pulled.v1" }

// DeploymentHealthy says that a colour is healthy on all of its hosts: the one that comes
// up or, when somebody goes back after the promotion, the one of before.
type DeploymentHealthy struct {
	DeploymentOf
	Colour string   `json:"colour" jsonschema:"which one"`
	Hosts  []string `json:"hosts" jsonschema:"ids of the machines that it is healthy on"`
}

func (DeploymentHealthy) EventType() string { return "deployment.healthy.v1" }

// DeploymentShifted gives the new colour a part of the traffic and of the tasks.
type DeploymentShifted struct {
	DeploymentOf
	Share int  `json:"share" jsonschema:"of the new colour, in percent; the other one has the rest"`
	Held  bool `json:"held,omitempty" jsonschema:"it is the last part: now it is held until somebody promotes it, or its gates do"`
}

func (DeploymentShifted) EventType() string { return "deployment.shifted.v1" }

// Verdicts of gates.
const (
	GatePass         = "pass"
	GateFail         = "fail"
	GateInconclusive = "inconclusive" // it neither promotes nor goes back
)

// DeploymentGateChanged is another verdict of a gate than before. Verdicts of earlier
// deployments count for nothing.
type DeploymentGateChanged struct {
	DeploymentOf
	Gate    string `json:"gate" jsonschema:"its name"`
	Verdict string `json:"verdict" jsonschema:"pass, fail or inconclusive"`
	Reason  string `json:"reason" jsonschema:"why, for people"`
	Manual  bool   `json:"manual,omitempty" jsonschema:"a person has said so: the gate does not measure any more in this deployment"`
}

func (DeploymentGateChanged) EventType() string { return "deployment.gate_changed.v1" }

// DeploymentPromoted gives the new colour everything. The other one is drained. Where
// there is no other one the deployment has ended.
type DeploymentPromoted struct {
	DeploymentOf
	Over   []string `json:"over,omitempty" jsonschema:"names of the gates that had not passed"`
	Reason string   `json:"reason,omitempty" jsonschema:"what is to be said of it; it is there when gates had not passed"`
}

func (DeploymentPromoted) EventType() string { return "deployment.promoted.v1" }

// DeploymentRolledBack gives everything back to the colour of before. After the promotion
// that colour comes up again first.
type DeploymentRolledBack struct {
	DeploymentOf
	Reason string `json:"reason,omitempty" jsonschema:"what is to be said of it"`
	Gate   string `json:"gate,omitempty" jsonschema:"name of the gate that has failed, when the policy goes back by itself"`
}

func (DeploymentRolledBack) EventType() string { return "deployment.rolled_back.v1" }

// DeploymentCancelled gives a deployment up. It does what going back does.
type DeploymentCancelled struct {
	DeploymentOf
	Reason string `json:"reason,omitempty" jsonschema:"what is to be said of it"`
}

func (DeploymentCancelled) EventType() string { return "deployment.cancelled.v1" }

// DeploymentFailed says that a host cannot bring the new colour up. It does what going
// back does.
type DeploymentFailed struct {
	DeploymentOf
	Host      PlacedHost `json:"host" jsonschema:"which host"`
	Service   string     `json:"service,omitempty" jsonschema:"name of the service; absent when it is not one of them"`
	Reason    string     `json:"reason" jsonschema:"why, for people"`
	ExitCode  int        `json:"exitCode,omitempty" jsonschema:"of the container that ended"`
	Log       string     `json:"log,omitempty" jsonschema:"the end of what that container wrote, without secrets"`
	HealthLog string     `json:"healthLog,omitempty" jsonschema:"what its health check said last, without secrets"`
}

func (DeploymentFailed) EventType() string { return "deployment.failed.v1" }

// DeploymentHostExcluded lets a deployment go on without a host: nothing is waited for
// there any more, and the new colour leaves it.
type DeploymentHostExcluded struct {
	DeploymentOf
	Host   PlacedHost `json:"host" jsonschema:"which host"`
	Reason string     `json:"reason,omitempty" jsonschema:"what is to be said of it"`
}

func (DeploymentHostExcluded) EventType() string { return "deployment.host_excluded.v1" }

// DeploymentOverdue says that a step takes longer than its deadline. Nothing follows from it
// by itself.
type DeploymentOverdue struct {
	DeploymentOf
	Step  string       `json:"step" jsonschema:"which step"`
	Hosts []PlacedHost `json:"hosts,omitempty" jsonschema:"hosts that it waits for"`
	Why   string       `json:"why,omitempty" jsonschema:"what these hosts say, for people"`
}

func (DeploymentOverdue) EventType() string { return "deployment.overdue.v1" }

// How deployments end.
const (
	DeploymentWasPromoted   = "promoted"
	DeploymentWasRolledBack = "rolled_back"
	DeploymentWasCancelled  = "cancelled"
	DeploymentHasFailed     = "failed"
	DeploymentWasRefused    = "refused"
)

// DeploymentFinished ends a deployment: the colour that had to go is drained on all hosts. It
// is stopped, and kept for a while.
type DeploymentFinished struct {
	DeploymentOf
	Outcome string `json:"outcome" jsonschema:"promoted, rolled_back, cancelled or failed"`
}

func (DeploymentFinished) EventType() string { return "deployment.finished.v1" }

// DeploymentTornDown removes a colour that was kept, with its containers and networks.
type DeploymentTornDown struct {
	DeploymentOf
	Colour  string `json:"colour" jsonschema:"which one"`
	Release int    `json:"release" jsonschema:"number of the release that it had"`
}

func (DeploymentTornDown) EventType() string { return "deployment.torn_down.v1" }

// PlacementSet says which hosts an environment has from the next deployment on.
type PlacementSet struct {
	Namespace   string    `json:"namespace" jsonschema:"id of the namespace"`
	Application string    `json:"application" jsonschema:"id of the application"`
	Name        string    `json:"name" jsonschema:"full name of the application"`
	Environment string    `json:"environment" jsonschema:"id of the environment"`
	Called      string    `json:"called" jsonschema:"name of the environment"`
	Placement   Placement `json:"placement" jsonschema:"all of it from now on"`
}

func (PlacementSet) EventType() string { return "placement.set.v1" }
func (e PlacementSet) Subject() string { return PlacementSubject(e.Namespace, e.Environment) }

// DeployPolicySet says how an environment is deployed to, from the next deployment on.
type DeployPolicySet struct {
	Namespace   string       `json:"namespace" jsonschema:"id of the namespace"`
	Application string       `json:"application" jsonschema:"id of the application"`
	Name        string       `json:"name" jsonschema:"full name of the application"`
	Environment string       `json:"environment" jsonschema:"id of the environment"`
	Called      string       `json:"called" jsonschema:"name of the environment"`
	Policy      DeployPolicy `json:"policy" jsonschema:"all of it from now on"`
}

func (DeployPolicySet) EventType() string { return "deploy_policy.set.v1" }
func (e DeployPolicySet) Subject() string { return DeployPolicySubject(e.Namespace, e.Environment) }

// GateHookSet gives a gate the URL at which an error tracker reports. It is found by the hash of
// the secret in it, which is shown once; a URL that the gate had before opens nothing any more.
type GateHookSet struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name of the application"`
	Environment string `json:"environment" jsonschema:"id of the environment"`
	Called      string `json:"called" jsonschema:"name of the environment"`
	Gate        string `json:"gate" jsonschema:"name of the gate"`
	Hash        []byte `json:"hash" jsonschema:"SHA-256 of the secret"`
	Record      string `json:"record,omitempty" jsonschema:"id of the record of the key that its requests are signed with, among the secrets; absent when the URL is enough"`
}

func (GateHookSet) EventType() string { return "gate_hook.set.v1" }
func (e GateHookSet) Subject() string {
	return GateHookSubject(e.Namespace, e.Environment, e.Gate)
}

// GateHookRemoved takes the URL of a gate away.
type GateHookRemoved struct {
	Namespace   string `json:"namespace" jsonschema:"id of the namespace"`
	Application string `json:"application" jsonschema:"id of the application"`
	Name        string `json:"name" jsonschema:"full name of the application"`
	Environment string `json:"environment" jsonschema:"id of the environment"`
	Called      string `json:"called" jsonschema:"name of the environment"`
	Gate        string `json:"gate" jsonschema:"name of the gate"`
}

func (GateHookRemoved) EventType() string { return "gate_hook.removed.v1" }
func (e GateHookRemoved) Subject() string {
	return GateHookSubject(e.Namespace, e.Environment, e.Gate)
}

// A DeployPolicy says how an environment is deployed to. What is absent is as in the
// documentation.
type DeployPolicy struct {
	Steps     []int             `json:"steps,omitempty" jsonschema:"parts of the traffic that the new colour gets one after the other, in percent; at the last one it is held"`
	Pause     int               `json:"pause,omitempty" jsonschema:"seconds between two steps"`
	Automatic int               `json:"automatic,omitempty" jsonschema:"seconds for which all gates have to have passed for the hub to promote by itself; absent: a person does"`
	RollBack  bool              `json:"rollBack,omitempty" jsonschema:"the hub goes back by itself when a gate fails"`
	Owners    bool              `json:"owners,omitempty" jsonschema:"only owners of the namespace deploy"`
	Two       bool              `json:"two,omitempty" jsonschema:"whoever has asked for a deployment does not promote it"`
	OnPush    []DeployOnPush    `json:"onPush,omitempty" jsonschema:"images whose push is a release, which is deployed"`
	Built     *DeployProvenance `json:"built,omitempty" jsonschema:"where images have to come from"`
	Freezes   []DeployFreeze    `json:"freezes,omitempty" jsonschema:"times at which nothing is deployed"`
	Gates     []DeployGate      `json:"gates,omitempty" jsonschema:"what is measured before a promotion"`
	Deadlines DeployDeadlines   `json:"deadlines,omitzero" jsonschema:"after which a host is no longer waited for in silence"`
	Warm      int               `json:"warm,omitempty" jsonschema:"seconds for which the colour of before is kept, stopped, after the end of a deployment"`
}

// DeployDeadlines are seconds; absent ones are as in the documentation.
type DeployDeadlines struct {
	Pull  int `json:"pull,omitempty" jsonschema:"for all hosts to have the images"`
	Start int `json:"start,omitempty" jsonschema:"for all hosts to be healthy"`
	Drain int `json:"drain,omitempty" jsonschema:"for all hosts to have drained a colour"`
}

// DeployOnPush deploys when a tag is set.
type DeployOnPush struct {
	Repository string `json:"repository" jsonschema:"full name of a repository of the namespace"`
	Tag        string `json:"tag" jsonschema:"a tag, or a pattern with * in it"`
}

// DeployProvenance is what the images of a release have to come from.
type DeployProvenance struct {
	Source string `json:"source,omitempty" jsonschema:"full name of the git source; absent for any that this hub builds from"`
	Ref    string `json:"ref,omitempty" jsonschema:"a ref, or a pattern with * in it, such as refs/heads/main; absent for any"`
}

// A DeployFreeze is a time at which nothing is deployed: once, or each week.
type DeployFreeze struct {
	From  time.Time `json:"from,omitzero" jsonschema:"when it begins, for one that comes once"`
	Until time.Time `json:"until,omitzero" jsonschema:"when it ends"`
	Days  []string  `json:"days,omitempty" jsonschema:"days of the week, such as fri, for one that comes each week"`
	Begin string    `json:"begin,omitempty" jsonschema:"time of the day, UTC, such as 16:00; absent for its beginning"`
	End   string    `json:"end,omitempty" jsonschema:"time of the day, UTC; absent for its end"`
	Why   string    `json:"why,omitempty" jsonschema:"what is to be said of it"`
}

// Kinds of gates.
const (
	GateHTTP       = "http"       // asks each host of the new colour
	GateManual     = "manual"     // a person says so
	GatePrometheus = "prometheus" // compares the colours by a query
	GateWebhook    = "webhook"    // an error tracker tells of new errors
)

// A DeployGate is something that is measured before a promotion.
type DeployGate struct {
	Name   string  `json:"name" jsonschema:"lower-case letters, digits and -"`
	Kind   string  `json:"kind" jsonschema:"http, manual, prometheus or webhook"`
	URL    string  `json:"url,omitempty" jsonschema:"what is asked; of http {host} and {port} are put in for each host of the new colour"`
	Host   string  `json:"host,omitempty" jsonschema:"header Host of the request"`
	Query  string  `json:"query,omitempty" jsonschema:"of prometheus; {colour} and {release} are put in"`
	Most   float64 `json:"most,omitempty" jsonschema:"of prometheus: the new colour fails with more than this; of webhook: with more issues than this that the other one has not"`
	Factor float64 `json:"factor,omitempty" jsonschema:"of prometheus: the new colour fails with more than so many times what the other one has"`
	Passes int     `json:"passes,omitempty" jsonschema:"so many times in a row it has to pass"`
	Every  int     `json:"every,omitempty" jsonschema:"seconds between two times"`
	Format string  `json:"format,omitempty" jsonschema:"of webhook: who sends, such as sentry"`
	// What is to have gone well before a webhook that does not come means anything.
	Seconds  int `json:"seconds,omitempty" jsonschema:"of webhook: for so long the new colour has to have had traffic"`
	Requests int `json:"requests,omitempty" jsonschema:"of webhook: so many requests it has to have had"`
}

// PlacementSubject is that of the hosts of an environment.
func PlacementSubject(namespaceID, environmentID string) string {
	return SubjectPrefix + namespaceID + ".placement." + environmentID
}

// DeployPolicySubject is that of the policy of an environment.
func DeployPolicySubject(namespaceID, environmentID string) string {
	return SubjectPrefix + namespaceID + ".deploy_policy." + environmentID
}

// GateHookSubject is that of the URL of a gate.
func GateHookSubject(namespaceID, environmentID, gate string) string {
	return SubjectPrefix + namespaceID + ".gate_hook." + environmentID + "-" + gate
}
