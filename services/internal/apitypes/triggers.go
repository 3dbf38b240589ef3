package apitypes

import "time"

// A Trigger is a build trigger of a repository.
type Trigger struct {
	ID        string    `json:"id" doc:"Id of the trigger"`
	Name      string    `json:"name" doc:"What it is for"`
	Created   time.Time `json:"created" doc:"When it was made"`
	CreatedBy string    `json:"createdBy" doc:"By whom"`
	Seq       uint64    `json:"seq" doc:"Sequence of the event that made it"`
}

// CreateTriggerRequest makes a build trigger.
type CreateTriggerRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]+$" doc:"What it is for, such as nightly"`
}

// A CreatedTrigger is a build trigger with its URL, which is shown this once.
type CreatedTrigger struct {
	Trigger
	URL string `json:"url" doc:"Whoever knows it may have the repository built: it is shown this once"`
}

// CalledTrigger answers a call of a build trigger.
type CalledTrigger struct {
	Requested []string `json:"requested" doc:"Full names of the branches and git tags for which the build rules are evaluated again"`
	Waiting   []string `json:"waiting" doc:"Those of which a build of the same commit waits already"`
	Seq       uint64   `json:"seq,omitempty" doc:"Sequence of the last event of the call"`
}
