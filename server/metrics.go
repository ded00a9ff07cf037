package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Recording holds the metrics of the HTTP edge. Labels are request kinds and
// statuses only: names of repositories or users would grow without bound.
type Recording struct {
	registry *prometheus.Registry
	requests [Metrics + 2]requestMetrics
	statuses *prometheus.CounterVec
	inFlight prometheus.Gauge
}

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
	reg.MustRegister(m.statuses, m.inFlight, seconds, sent, received)
	return m
}

// Handler serves the metrics of the registry.
func (m *Recording) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
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
