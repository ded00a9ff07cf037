package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}}
	for _, tt := range tests {
		if got := median(tt.values); got != tt.want {
			t.Errorf("%v: got %v", tt.values, got)
		}
	}
}

func TestPercentile(t *testing.T) {
	ten := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for p, want := range map[int]time.Duration{0: 1, 50: 5, 51: 6, 99: 10, 100: 10} {
		if got := Percentile(ten, p); got != want {
			t.Errorf("p%d: got %d", p, got)
		}
	}
	if Percentile(nil, 50) != 0 {
		t.Error("of nothing")
	}
}

func TestNewFigures(t *testing.T) {
	f := NewFigures(Run{
		Wall: 2 * time.Second, CPU: 8 * time.Millisecond, User: 6 * time.Millisecond, System: 2 * time.Millisecond,
		Client: 4 * time.Millisecond, Latency: []time.Duration{3e6, 1e6, 2e6, 9e6}, Bytes: 1000,
	})
	want := Figures{Ops: 4, Seconds: 2, OpsPerSecond: 2, BytesPerSecond: 2000, CPU: 2, User: 1.5, System: 0.5, P50: 2, P99: 9, ClientCPU: 1}
	if f != want {
		t.Errorf("got %+v", f)
	}
	if NewFigures(Run{}) != (Figures{}) {
		t.Error("of nothing")
	}
}

// sample has two rounds; in the second everything took twice as long.
func sample() *Report {
	get := &Row{Key: "get", Name: "GET", Goal: &Goal{Text: "CPU <= 2 x floor", Of: CPU, Times: 2, Server: "floor"}}
	put := &Row{Key: "put", Name: "PUT", Goal: &Goal{Text: ">= 2000 op/s", Of: Rate, Times: 2000}}
	chunks := &Row{Key: "chunks", Name: "chunks", Goal: &Goal{Text: "CPU <= 1.1 x PUT", Of: CPU, Times: 1.1, Row: "put"}}
	memory := &Row{Key: "memory", Name: "peak memory", Goal: &Goal{Text: "<= 64 MiB", Of: Memory, Times: 64 << 20}}
	for _, slow := range []float64{1, 2} {
		get.Add("floor", Figures{CPU: 0.1 * slow, OpsPerSecond: 1000 / slow})
		get.Add("distribution", Figures{CPU: 0.6 * slow, OpsPerSecond: 100 / slow})
		get.Add("berth", Figures{CPU: 0.3 * slow, OpsPerSecond: 500 / slow})
		put.Add("berth", Figures{CPU: 1 * slow, OpsPerSecond: 4000 / slow, BytesPerSecond: 4e9 / slow})
		chunks.Add("berth", Figures{CPU: 1 * slow, OpsPerSecond: 4000 / slow})
	}
	memory.Add("berth", Figures{Memory: 65 << 20})
	return &Report{Servers: []string{"floor", "distribution", "berth"}, Rows: []*Row{get, put, chunks, memory}, Notes: []string{"a note"}}
}

func TestVerdicts(t *testing.T) {
	r := sample()
	r.Finish()
	want := []Verdict{{3, 2, false}, {3000, 2000, true}, {1, 1.1, true}, {65 << 20, 64 << 20, false}}
	for i, row := range r.Rows {
		got := row.Verdicts["berth"]
		if math.Abs(got.Got-want[i].Got) > 1e-9 || got.Goal != want[i].Goal || got.Reached != want[i].Reached {
			t.Errorf("%s: got %+v", row.Key, got)
		}
		if _, ok := row.Verdicts["floor"]; ok {
			t.Errorf("%s: the floor has a target", row.Key)
		}
	}
	if m := r.Rows[0].Median["berth"]; math.Abs(m.CPU-0.45) > 1e-9 || m.OpsPerSecond != 375 {
		t.Errorf("median %+v", m)
	}
}

func TestVerdictNeedsItsOther(t *testing.T) {
	r := sample()
	r.Rows = r.Rows[2:] // the row that chunks are compared with is gone
	delete(r.Rows[0].Rounds, "floor")
	r.Finish()
	if v, ok := r.Rows[0].Verdicts["berth"]; ok {
		t.Errorf("got %+v", v)
	}
}

const text = `CPU of the server per operation (ms) / operations per second:

operation    floor        distribution  berth
GET          0.150 / 750  0.900 / 75.0  0.450 / 375
PUT          -            -             1.50 / 3.00 GB/s
chunks       -            -             1.50 / 3.00k
peak memory  -            -             68.2 MB

Compared, and what must be reached:

operation    berth: CPU / floor  CPU / distribution  rate / distribution  target            reached by berth
GET          3.00                0.500               5.00                 CPU <= 2 x floor  NO, 3.00
PUT          -                   -                   -                    >= 2000 op/s      yes, 3.00k
chunks       -                   -                   -                    CPU <= 1.1 x PUT  yes, 1.00
peak memory  -                   -                   -                    <= 64 MiB         NO, 68.2 MB

a note
`

func TestText(t *testing.T) {
	r := sample()
	r.Finish()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil || b.String() != text {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestMarkdown(t *testing.T) {
	r := sample()
	r.Growth = []Growth{{Server: "berth", Sizes: []int{100, 10000}, Rows: []GrowthRow{
		{Key: "get", Name: "GET", Figures: []Figures{{CPU: 1, OpsPerSecond: 2000}, {CPU: 2, OpsPerSecond: 1000}}},
		{Key: "startup", Name: "start", Figures: []Figures{{Startup: 20}, {Startup: 30}}},
	}}}
	r.Finish()
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| operation | floor | distribution | berth |\n|---|---|---|---|\n",
		"| GET | 3.00 | 0.500 | 5.00 | CPU <= 2 x floor | NO, 3.00 |\n",
		"| operation | 100 | 10000 |\n",
		"| GET | 1.00 / 2.00k (1.00) | 2.00 / 1.00k (0.500) |\n",
		"| start | 20 ms | 30 ms |\n",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("%q is missing in\n%s", line, b.String())
		}
	}
}

func TestJSON(t *testing.T) {
	r := sample()
	r.Finish()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Rows) != 4 || back.Rows[0].Target != "CPU <= 2 x floor" || back.Rows[0].Rounds["berth"][1].CPU != 0.6 || back.Rows[0].Verdicts["berth"].Reached {
		t.Errorf("got %+v", back.Rows[0])
	}
}

func TestCPUModel(t *testing.T) {
	if got := cpuModel([]byte("processor\t: 0\nmodel name\t: A CPU\n")); got != "A CPU" {
		t.Errorf("got %q", got)
	}
}
