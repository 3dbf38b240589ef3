package server

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/service"
	"hubledger/services/server/meter"
)

// declared makes every service of the program without log and stores: what a
// service declares can be read, but nothing of it works.
func declared() []service.Service {
	n := &Node{Config: Config{Logger: slog.New(slog.DiscardHandler)}, metrics: meter.New()}
	n.makeAuth()
	return n.allServices()
}

func namesOf(services []service.Service) []string {
	names := make([]string, len(services))
	for k, s := range services {
		names[k] = s.Name
	}
	return names
}

// CheckServices refuses the name of a service that the program does not have.
func CheckServices(names []string) error {
	if len(names) == 0 {
		return nil
	}
	all := namesOf(declared())
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("--services: there is no service %q; there are: %s", name, strings.Join(all, ", "))
		}
	}
	return nil
}

// ReadModels is every read model of the program, in the order in which they
// start: those that its services answer from, and the journal.
func ReadModels() []*projections.Projection { return readModelsOf(declared()) }

// ReadModel finds a read model of the program by its name.
func ReadModel(name string) (*projections.Projection, error) {
	all := ReadModels()
	names := make([]string, len(all))
	for k, p := range all {
		if names[k] = p.Name; p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("there is no projection %q; there are: %s", name, strings.Join(names, " "))
}

// readModelsOf lists the read models of a node that runs these services: accounts,
// which decides who may do what; those that the services answer from; and the
// journal, which guards the log, with the trail, by which its events are found.
func readModelsOf(services []service.Service) []*projections.Projection {
	list := []*projections.Projection{&accounts.Projection}
	for _, s := range services {
		for _, p := range s.ReadModels {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	for _, p := range []*projections.Projection{&trail.Projection, &journal.Projection} {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
