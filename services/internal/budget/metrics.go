package budget

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// shownAccounts bounds the accounts that the metrics name.
const shownAccounts = 10

var logBytes = prometheus.NewDesc("hubledger_log_account_bytes", "What the accounts that wrote most to the log since the node started have written.", []string{"account"}, nil)

// Describe is of prometheus.Collector.
func (l *Limits) Describe(ch chan<- *prometheus.Desc) { ch <- logBytes }

// Collect shows the accounts that write most to the log.
func (l *Limits) Collect(ch chan<- prometheus.Metric) {
	type writer struct {
		name    string
		written int64
	}
	var all []writer
	l.accounts.each(func(p *party) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if name := p.name.Load(); name != nil && p.written > 0 {
			all = append(all, writer{*name, p.written})
		}
	})
	slices.SortFunc(all, func(a, b writer) int { return cmp.Or(cmp.Compare(b.written, a.written), cmp.Compare(a.name, b.name)) })
	shown := map[string]bool{} // an account that was erased and one that has its name now
	for _, a := range all[:min(len(all), shownAccounts)] {
		if !shown[a.name] {
			shown[a.name] = true
			ch <- prometheus.MustNewConstMetric(logBytes, prometheus.GaugeValue, float64(a.written), a.name)
		}
	}
}
