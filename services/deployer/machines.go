package deployer

import (
	"slices"

	"hubledger/projections/accounts"
)

// mayRun says whether a host may run applications of a namespace, by its id.
func mayRun(m *accounts.Machine, namespace string) bool {
	return len(m.Namespaces) == 0 || slices.Contains(m.Namespaces, namespace)
}
