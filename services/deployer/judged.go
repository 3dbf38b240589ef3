package deployer

import (
	"sync"

	"hubledger/services/internal/compose"
)

// judged names a release as it is in an environment, which never changes.
type judged struct {
	environment string
	release     int
}

// maxApps bounds the Compose files that are kept as they were judged; judging a large one
// takes up to a second.
const maxApps = 100

// apps are releases that were judged.
type apps struct {
	mu  sync.Mutex
	all map[judged]*compose.App
}

func (a *apps) get(key judged) *compose.App {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[key]
}

func (a *apps) put(key judged, app *compose.App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) >= maxApps || a.all == nil {
		a.all = map[judged]*compose.App{}
	}
	a.all[key] = app
}
