package deployer

import (
	"fmt"
	"strings"

	"hubledger/events"
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
