package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/berth-registry/berth/auth"
)

// Recording holds the metrics of the HTTP edge. Labels are request kinds and
// statuses only: names of repositories or users would grow without bound.
type Recording struct {
	registry *prometheus.Registry
	requests [Metrics + 2]requestMetrics
	statuses *prometheus.CounterVec
	inFlight prometheus.Gauge
	pulls    [auth.Outside + 1]pullMetrics // by kind of principal
	decision prometheus.Histogram
	flooded  prometheus.Counter
}

type pullMetrics struct{ allowed, refused prometheus.Counter }

type requestMetrics struct {
	ok       prometheus.Counter // of statuses, 200
	seconds  prometheus.Observer
	sent     prometheus.Counter
	received prometheus.Counter
}

// NewRecording registers the edge's metrics with reg.
func NewRecording(reg *prometheus.Registry) *Recording {
	m := &Recording{
		registry: reg,
		statuses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "berth_http_requests_total", Help: "Requests by kind and status.",
		}, []string{"kind", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "berth_http_requests_in_flight", Help: "Requests being served.",
		}),
		decision: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "berth_pull_decision_seconds", Help: "Time to decide whether a pull is within its limit.",
			Buckets: []float64{1e-6, 1e-5, 1e-4, .001, .01, .1, 1},
		}),
		flooded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_http_requests_flooded_total", Help: "Requests refused because their address has sent too many.",
		}),
	}
	pulls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_pulls_total", Help: "Pulls by kind of principal, and whether the limit allowed them.",
	}, []string{"principal", "outcome"})
	for k := range m.pulls {
		kind := auth.Kind(k).String()
		m.pulls[k] = pullMetrics{pulls.WithLabelValues(kind, "allowed"), pulls.WithLabelValues(kind, "refused")}
	}
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "berth_http_request_seconds", Help: "Time to serve a request by kind.",
		Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60, 600},
	}, []string{"kind"})
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_http_sent_bytes_total", Help: "Bytes of response bodies by kind.",
	}, []string{"kind"})
	received := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "berth_http_received_bytes_total", Help: "Bytes of request bodies by kind.",
	}, []string{"kind"})
	for k := range m.requests {
		name := Kind(k).String()
		m.requests[k] = requestMetrics{m.statuses.WithLabelValues(name, "200"), seconds.WithLabelValues(name), sent.WithLabelValues(name), received.WithLabelValues(name)}
	}
	reg.MustRegister(m.statuses, m.inFlight, seconds, sent, received, pulls, m.decision, m.flooded)
	return m
}

// Handler serves the metrics of the registry.
func (m *Recording) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// decided records the decision about a pull.
func (m *Recording) decided(k auth.Kind, allowed bool, took time.Duration) {
	m.decision.Observe(took.Seconds())
	if allowed {
		m.pulls[k].allowed.Inc()
	} else {
		m.pulls[k].refused.Inc()
	}
}

func (m *Recording) begin() { m.inFlight.Inc() }

func (m *Recording) end(k Kind, status int, sent, received int64, took time.Duration) {
	m.inFlight.Dec()
	r := &m.requests[k]
	if status == http.StatusOK {
		r.ok.Inc()
	} else {
		m.statuses.WithLabelValues(k.String(), strconv.Itoa(status)).Inc()
	}
	r.seconds.Observe(took.Seconds())
	r.sent.Add(float64(sent))
	r.received.Add(float64(received))
}
