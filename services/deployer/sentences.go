package deployer

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/service"
)

// sentences tell the events of applications to people.
var sentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.ApplicationCreated) service.Text {
		return service.Say("created the application ", service.Application(e.Name, e.Application))
	}),
	service.Tell(func(_ service.Names, e events.ApplicationChanged) service.Text {
		of := service.Application(e.Name, e.Application)
		if e.Settings.Compose == "" {
			return service.Say("let ", of, fmt.Sprintf(" keep the images of its latest %d releases", e.Settings.Keep))
		}
		return service.Say("changed the Compose file of ", of)
	}),
	service.Tell(func(_ service.Names, e events.ApplicationDeleted) service.Text {
		return service.Say("deleted the application " + e.Name)
	}),
	service.Tell(func(_ service.Names, e events.EnvironmentCreated) service.Text {
		return service.Say("created the environment "+e.Called+" of ", service.Application(e.Name, e.Application))
	}),
	service.Tell(func(_ service.Names, e events.EnvironmentDeleted) service.Text {
		return service.Say("deleted the environment "+e.Called+" of ", service.Application(e.Name, e.Application))
	}),
	service.Tell(func(_ service.Names, e events.ConfigurationSet) service.Text {
		return service.Say("changed "+strings.Join(e.Changed, ", ")+" in the configuration of "+e.Called+" of ", service.Application(e.Name, e.Application), fmt.Sprintf(" (version %d)", e.Version))
	}),
	service.Tell(func(_ service.Names, e events.ReleaseMade) service.Text {
		text := service.Say(fmt.Sprintf("made release %d of ", e.Number), service.Application(e.Name, e.Application))
		if e.Note != "" {
			return service.Say(text, ": "+e.Note)
		}
		return text
	}),
}

// place names an environment of an application.
func place(of events.DeploymentOf) service.Text {
	return service.Say(service.Application(of.Name, of.Application), " in "+of.Called)
}

// because is a reason behind a sentence.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func hostNames(list []events.PlacedHost) string {
	var names []string
	for _, h := range list {
		names = append(names, h.Name)
	}
	return some(names)
}

// some is a list of names for people: the first ones, and how many more there are.
func some(names []string) string {
	const most = 3
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func allHosts(n int) string {
	if n == 1 {
		return "the host"
	}
	return fmt.Sprintf("all %d hosts", n)
}

// deploymentSentences tell the events of deployments to people.
var deploymentSentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.PlacementSet) service.Text {
		return service.Say("set the hosts of ", service.Application(e.Name, e.Application), " in "+e.Called)
	}),
	service.Tell(func(_ service.Names, e events.DeployPolicySet) service.Text {
		return service.Say("set how ", service.Application(e.Name, e.Application), " is deployed to "+e.Called)
	}),
	service.Tell(func(_ service.Names, e events.GateHookSet) service.Text {
		return service.Say("gave the gate "+e.Gate+" of ", service.Application(e.Name, e.Application), " in "+e.Called+" a URL for its error tracker")
	}),
	service.Tell(func(_ service.Names, e events.GateHookRemoved) service.Text {
		return service.Say("took the URL away from the gate "+e.Gate+" of ", service.Application(e.Name, e.Application), " in "+e.Called)
	}),
	service.Tell(func(_ service.Names, e events.DeploymentRequested) service.Text {
		what := "began to deploy"
		if e.Kind == events.DeployRollback {
			what = "began to bring back"
		}
		for _, b := range e.Before {
			if b.Colour != "" && b.Phase == string(hosting.Run) {
				return service.Say(fmt.Sprintf("%s release %d of ", what, e.Release), place(e.DeploymentOf), fmt.Sprintf(", in %s, over release %d", e.Colour, b.Release)+because(e.Note))
			}
		}
		return service.Say(fmt.Sprintf("%s release %d of ", what, e.Release), place(e.DeploymentOf), ", in "+e.Colour+because(e.Note))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentAdmitted) service.Text {
		return service.Say("let hosts pull the images of ", place(e.DeploymentOf))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentRefused) service.Text {
		return service.Say("refused the deployment of ", place(e.DeploymentOf), because(strings.Join(e.Reasons, "; ")))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentPulled) service.Text {
		return service.Say("saw the images on "+allHosts(len(e.Hosts))+" of ", place(e.DeploymentOf), ", where containers start now")
	}),
	service.Tell(func(_ service.Names, e events.DeploymentHealthy) service.Text {
		return service.Say("found "+e.Colour+" healthy on "+allHosts(len(e.Hosts))+" of ", place(e.DeploymentOf))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentShifted) service.Text {
		text := service.Say(fmt.Sprintf("gave %d %% of the traffic and the tasks to the new release of ", e.Share), place(e.DeploymentOf))
		if e.Held {
			return service.Say(text, ", and holds it there")
		}
		return text
	}),
	service.Tell(func(_ service.Names, e events.DeploymentGateChanged) service.Text {
		verdict := map[string]string{events.GatePass: "passes", events.GateFail: "fails", events.GateInconclusive: "says neither yes nor no"}[e.Verdict]
		said := "found that"
		if e.Manual {
			said = "decided that"
		}
		return service.Say(fmt.Sprintf("%s the gate %s %s in ", said, e.Gate, verdict), place(e.DeploymentOf), because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentPromoted) service.Text {
		text := service.Say("promoted the new release of ", place(e.DeploymentOf))
		if len(e.Over) > 0 {
			text = service.Say(text, " over the gates "+strings.Join(e.Over, ", "))
		}
		return service.Say(text, because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentRolledBack) service.Text {
		return service.Say("went back to the previous release of ", place(e.DeploymentOf), because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentCancelled) service.Text {
		return service.Say("cancelled the deployment of ", place(e.DeploymentOf), because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentFailed) service.Text {
		what := "failed to bring up "
		if e.Service != "" {
			what += e.Service + " of "
		}
		return service.Say(what, place(e.DeploymentOf), " on "+e.Host.Name+because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentHostExcluded) service.Text {
		return service.Say("went on without the host "+e.Host.Name+" in the deployment of ", place(e.DeploymentOf), because(e.Reason))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentOverdue) service.Text {
		return service.Say("waits longer than it should ("+e.Step+") for "+hostNames(e.Hosts)+" in the deployment of ", place(e.DeploymentOf), because(e.Why))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentFinished) service.Text {
		return service.Say("ended the deployment of ", place(e.DeploymentOf), ", which was "+strings.ReplaceAll(e.Outcome, "_", " "))
	}),
	service.Tell(func(_ service.Names, e events.DeploymentTornDown) service.Text {
		return service.Say(fmt.Sprintf("removed %s with release %d of ", e.Colour, e.Release), place(e.DeploymentOf))
	}),
}
