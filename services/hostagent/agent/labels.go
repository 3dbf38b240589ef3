package agent

import (
	"strconv"
	"strings"

	"hubledger/services/internal/hosting"
)

// Labels of what the agent makes. It touches nothing without labelHost.
const (
	labelPrefix     = "hubledger."
	labelHost       = labelPrefix + "host"       // id of the host
	labelSlot       = labelPrefix + "slot"       // of containers and networks
	labelService    = labelPrefix + "service"    // of containers
	labelIndex      = labelPrefix + "index"      // of containers, from 0
	labelGeneration = labelPrefix + "generation" // of the log
	labelFence      = labelPrefix + "fence"      // of the slot when it was made
	labelHash       = labelPrefix + "hash"       // of what the container is made by
)

// environmentOf is the id of the environment of a slot.
func environmentOf(slot string) string {
	if at := strings.LastIndexByte(slot, '-'); at > 0 {
		return slot[:at]
	}
	return slot
}

// containerName is what a container of a slot is called.
func containerName(slot, service string, index int) string {
	return slot + "-" + service + "-" + strconv.Itoa(index)
}

// volumeName is what a volume is called: all slots of an environment share it.
func volumeName(slot, volume string) string { return environmentOf(slot) + "-" + volume }

// Networks of an application are made twice for a colour: one of the colour's own, in
// which services find those of their colour, and one of the environment, in which they find
// the stateful ones.
func colourNetwork(slot, network string) string      { return slot + "-" + network }
func environmentNetwork(slot, network string) string { return environmentOf(slot) + "-net-" + network }

// defaultNetwork is the one of services that name none.
const defaultNetwork = "default"

// networkLabels are those of a network that a slot made. The environment's belongs to no
// slot.
func (a *Agent) networkLabels(slot string) map[string]string {
	l := map[string]string{labelHost: a.Machine}
	if slot != "" {
		l[labelSlot] = slot
	}
	return l
}

// disposable says whether a slot's volumes without a name go with their containers: those
// of stateful services stay, whatever their image calls a volume.
func disposable(slot string) bool { return !strings.HasSuffix(slot, "-base") }

// coloured says whether a slot is blue or green.
func coloured(t *hosting.Slot) bool { return t.Colour != "" }
