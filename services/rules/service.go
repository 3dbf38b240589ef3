// Package rules serves the build rules of repositories: which refs of a git source
// become which tags. What rules mean is in services/internal/buildrule.
package rules

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
)

// Config is what the service works with; all fields but Look and Secrets are required.
type Config struct {
	Log     command.Log
	API     *openapi.API // takes the operations
	Read    builds.Reader
	View    process.View // of that read model
	Rights  Rights
	Secrets Secrets // nil while the log is read-only
	// UndeleteWindow is how long a deleted repository can be restored.
	UndeleteWindow time.Duration
	Logger         *slog.Logger
	Store          *operations.Store // where the attempts of process managers are
	URL            string            // of the hub, for people: build triggers are below it
	// Look looks at the commit of a push: which files changed, and with file the text of
	// buildrule.FileName. id names the look on this machine. Nil: this node cannot fetch.
	Look func(ctx context.Context, id string, p *builds.DuePush, file bool) (buildrule.Look, error)
}

// Rights says what a principal may do with a namespace: access.Rights.
type Rights interface {
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
}

// Rules is the service.
type Rules struct {
	Config
	due   dueList
	calls calls
}

// New makes the service.
func New(c Config) *Rules {
	s := &Rules{Config: c}
	const path, tag = "/repositories/{namespace}/{name}/rules", "build rules"
	c.API.AddTag(tag, "Which refs of a git source become which tags of a repository.")
	openapi.Add(c.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "get-rules", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Read,
		Summary: "Show the build rules of a repository"}, s.get)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodPut, Path: path, ID: "set-rules", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Replace the build rules of a repository",
		About: "Answers with the rules as they are then, and what to look at in them. A git source that the rules did not name before has to be one that the caller may see: " +
			"a build shows what is in the git repository."}, s.set)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodPost, Path: path + "/simulate", ID: "simulate-rules", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Heavy,
		Summary: "Show what build rules would do about refs, and why", About: "Changes and builds nothing."}, s.simulate)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodGet, Path: "/repositories/{namespace}/{name}/pushes", ID: "list-pushes", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.List,
		Summary: "List what the build rules did about branches and git tags that moved", About: "Lists the latest evaluation of each ref, most recent first."}, s.pushes)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodGet, Path: "/repositories/{namespace}/{name}/waiting-pushes", ID: "list-waiting-pushes", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Read,
		Summary: "List branches and git tags that moved but are not evaluated by the build rules yet, and why", About: "Lists the first hundred, those that moved first at the top."}, s.waiting)
	const secrets = "/repositories/{namespace}/{name}/build-secrets"
	openapi.Add(c.API, openapi.Operation{Method: http.MethodGet, Path: secrets, ID: "list-build-secrets", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Read,
		Summary: "List the names of the secrets that builds of a repository may read", About: "Their values are never shown."}, s.secrets)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodPut, Path: secrets + "/{secret}", ID: "set-build-secret", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Set a build secret", About: "Builds by a rule that names it get it as a file, where a step of the Dockerfile mounts it."}, s.setSecret)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodDelete, Path: secrets + "/{secret}", ID: "remove-build-secret", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Destroy a build secret"}, s.removeSecret)
	const triggers = "/repositories/{namespace}/{name}/triggers"
	openapi.Add(c.API, openapi.Operation{Method: http.MethodGet, Path: triggers, ID: "list-triggers", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Read,
		Summary: "List the build triggers of a repository"}, s.triggers)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodPost, Path: triggers, ID: "create-trigger", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Create a URL that starts builds of a repository when it is called", About: "The answer contains the URL, which is shown only this once."}, s.createTrigger)
	openapi.Add(c.API, openapi.Operation{Method: http.MethodDelete, Path: triggers + "/{trigger}", ID: "delete-trigger", Tag: tag, Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Delete a build trigger"}, s.deleteTrigger)
	return s
}

// Service is what the service hands over to the program.
func (s *Rules) Service() service.Service {
	managers := []process.Manager{s.evaluations(), s.staleSecrets()}
	if s.Look != nil {
		managers = append(managers, s.looks()) // led by a node that can
	} else {
		managers = append(managers, s.unseen(time.Now()))
	}
	return service.Service{
		Name:       "rules",
		Routes:     append(s.API.Routes(), s.callRoute()),
		NotServed:  endpoint.NotServed,
		ReadModels: []*projections.Projection{&accounts.Projection, &builds.Projection},
		Managers:   managers,
		Sentences: []service.Sentence{
			service.Tell(func(_ service.Names, e events.RulesSet) service.Text {
				of := repo(e.Name, e.Repository)
				switch {
				case e.FromFile:
					return service.Say("set the build rules of ", of, fmt.Sprintf(" to those of .hubledger.yml in each commit (rules for commits without it: %d)", len(e.Rules)))
				case len(e.Rules) == 0:
					return service.Say("ended the automated builds of ", of)
				}
				return service.Say("set the build rules of ", of, fmt.Sprintf(" (rules: %d)", len(e.Rules)))
			}),
			service.Tell(func(_ service.Names, e events.BuildSecretSet) service.Text {
				return service.Say("set the build secret "+e.Secret+" of ", repo(e.Name, e.Repository))
			}),
			service.Tell(func(_ service.Names, e events.BuildSecretRemoved) service.Text {
				return service.Say("removed the build secret "+e.Secret+" of ", repo(e.Name, e.Repository))
			}),
			service.Tell(func(n service.Names, e events.TriggerCreated) service.Text {
				return service.Say("created the build trigger "+e.Name+" of ", service.Repository(n, e.Repository))
			}),
			service.Tell(func(n service.Names, e events.TriggerDeleted) service.Text {
				return service.Say("deleted a build trigger of ", service.Repository(n, e.Repository))
			}),
			service.Tell(func(_ service.Names, e events.PushRequested) service.Text {
				return service.Say("was asked by a build trigger to build ", repo(e.Name, e.Repository), " from "+e.Ref)
			}),
			service.Tell(func(_ service.Names, e events.PushEvaluated) service.Text {
				return service.Say("evaluated the build rules of ", repo(e.Name, e.Repository), fmt.Sprintf(" for %s: %s", e.Ref, buildrule.Summary(e.Verdicts)))
			}),
		},
	}
}

// repo is a repository as the event names it.
func repo(name, id string) service.Part {
	return service.Part{Text: name, Kind: service.RefRepository, Name: name, ID: id}
}
