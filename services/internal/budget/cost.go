package budget

import (
	"runtime"
	"time"
)

// Cost says what sort of work a request asks for. Every endpoint declares one.
type Cost uint8

const (
	Undeclared Cost = iota
	Light           // is answered from memory
	Transfer        // moves the bytes of a blob: takes long, but hardly any CPU
	Read            // looks up one thing
	List            // looks up many
	Search          // looks through everything
	Write           // makes a change, or a push
	Heavy           // sums up or goes through all of a namespace
	costs
)

// A class is how much there may be of one Cost.
type class struct {
	name string
	// share of Config.AtOnce: so many requests of one account, or of one network,
	// may be served or wait at the same time.
	share float64
	// places bounds those that work at the same time, of all clients together; 0 for
	// no bound. The others wait in line, in which every client has its turn.
	places int
}

var classes = [costs]class{
	Light:    {name: "light", share: 1},
	Transfer: {name: "transfer", share: 1},
	// A stored manifest is in memory up to twice before its size is known and counted.
	Read:   {name: "read", share: 1, places: 8 * cores},
	List:   {name: "list", share: 0.25, places: 4 * cores},
	Search: {name: "search", share: 0.1, places: 2 * cores},
	// Pushes wait for the disk together: more at once are faster.
	Write: {name: "write", share: 0.25, places: 32 * cores},
	Heavy: {name: "heavy", share: 0.02, places: max(1, cores/2)},
}

var cores = runtime.GOMAXPROCS(0)

// maxWait is how long a request waits in line before it is refused.
const maxWait = 30 * time.Second

// String is the name by which the documentation calls a Cost.
func (c Cost) String() string {
	if c > Undeclared && c < costs {
		return classes[c].name
	}
	return "undeclared"
}
