package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/berth-registry/berth/audit"
)

// newMetrics returns a registry with what every process has. No metric has
// names of users, repositories or addresses as labels.
func newMetrics() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "berth_build_info", Help: "The running version."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	reg.MustRegister(build)
	return reg
}

// countLogins registers the count of logins, and returns what counts one.
func (r *running) countLogins() func(credential string, o audit.Outcome) {
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_logins_total", Help: "Logins by what was shown and by what became of it: ok, denied, delayed, failed.",
	}, []string{"credential", "outcome"})
	r.counts.MustRegister(logins)
	return func(credential string, o audit.Outcome) { logins.WithLabelValues(credential, string(o)).Inc() }
}

// countDelays registers how many wrong secrets are remembered, by account (from
// a client) and by network.
func (r *running) countDelays() {
	gauge := func(of string, value func(accounts, networks int) int) {
		r.counts.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "berth_wrong_logins", Help: "Accounts from clients, and networks, of which wrong secrets are remembered.",
			ConstLabels: prometheus.Labels{"of": of},
		}, func() float64 { return float64(value(r.guard.Remembered(time.Now()))) }))
	}
	gauge("account", func(accounts, _ int) int { return accounts })
	gauge("network", func(_, networks int) int { return networks })
}

// countAudit registers what became of the lines of the audit trail.
func (r *running) countAudit() {
	for result, value := range map[string]func(audit.Stats) uint64{
		"written":    func(s audit.Stats) uint64 { return s.Written },
		"failed":     func(s audit.Stats) uint64 { return s.Failed },
		"late":       func(s audit.Stats) uint64 { return s.Late },
		"dropped":    func(s audit.Stats) uint64 { return s.Dropped },
		"suppressed": func(s audit.Stats) uint64 { return s.Suppressed },
	} {
		r.counts.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "berth_audit_lines_total", Help: "Lines of the audit trail by what became of them; late ones are in another result too.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(value(r.audit.Stats())) }))
	}
}
