package report

import (
	"slices"
	"time"
)

// Figures are what a server did in one row of one round.
type Figures struct {
	Ops            int     `json:"ops,omitempty"`
	Seconds        float64 `json:"seconds,omitempty"`
	OpsPerSecond   float64 `json:"ops_per_second,omitempty"`
	BytesPerSecond float64 `json:"bytes_per_second,omitempty"` // of payload, where that is what counts
	CPU            float64 `json:"cpu_ms,omitempty"`           // of the server per operation, all threads
	User           float64 `json:"user_ms,omitempty"`          // what of CPU is in user mode
	System         float64 `json:"system_ms,omitempty"`        // and what in the kernel
	P50            float64 `json:"p50_ms,omitempty"`           // latency as the client sees it
	P99            float64 `json:"p99_ms,omitempty"`
	ClientCPU      float64 `json:"client_cpu_ms,omitempty"` // of the load generator per operation
	Memory         int64   `json:"memory,omitempty"`        // peak of RssAnon in bytes
	Startup        float64 `json:"startup_ms,omitempty"`    // from exec to the first answer
}

// Run is what figures are made of.
type Run struct {
	Wall              time.Duration
	CPU, User, System time.Duration // of the server
	Client            time.Duration // of the load generator
	Latency           []time.Duration
	Bytes             int // payload of an operation
}

// NewFigures reduces a run.
func NewFigures(r Run) Figures {
	ops := len(r.Latency)
	if ops == 0 || r.Wall <= 0 {
		return Figures{}
	}
	slices.Sort(r.Latency)
	per := func(d time.Duration) float64 { return ms(d) / float64(ops) }
	rate := float64(ops) / r.Wall.Seconds()
	return Figures{
		Ops: ops, Seconds: r.Wall.Seconds(), OpsPerSecond: rate, BytesPerSecond: rate * float64(r.Bytes),
		CPU: per(r.CPU), User: per(r.User), System: per(r.System), ClientCPU: per(r.Client),
		P50: ms(Percentile(r.Latency, 50)), P99: ms(Percentile(r.Latency, 99)),
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Quantity is one of the figures.
type Quantity int

// What goals are about.
const (
	CPU Quantity = iota
	Rate
	Memory
)

func (f Figures) quantity(q Quantity) float64 {
	switch q {
	case CPU:
		return f.CPU
	case Rate:
		return f.OpsPerSecond
	case Memory:
		return float64(f.Memory)
	}
	return 0
}
