package report

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// Report is a whole run.
type Report struct {
	Time    string            `json:"time"`
	Machine Machine           `json:"machine"`
	Options map[string]string `json:"options"` // flags that are not at their default
	Notes   []string          `json:"notes"`
	Servers []string          `json:"servers"`
	Rows    []*Row            `json:"rows"`
	Growth  []Growth          `json:"growth,omitempty"`
}

// Row is an operation, on all servers.
type Row struct {
	Key      string               `json:"key"`
	Name     string               `json:"name"`
	Goal     *Goal                `json:"-"`
	Target   string               `json:"target"` // the goal's text
	Rounds   map[string][]Figures `json:"rounds"`
	Median   map[string]Figures   `json:"median"`
	Verdicts map[string]Verdict   `json:"verdicts,omitempty"`
}

// Growth is how one server behaves as its data grows.
type Growth struct {
	Server string      `json:"server"`
	Sizes  []int       `json:"sizes"` // tags, manifests and repositories
	Rows   []GrowthRow `json:"rows"`
}

// GrowthRow is an operation at each size.
type GrowthRow struct {
	Key     string    `json:"key"`
	Name    string    `json:"name"`
	Figures []Figures `json:"figures"`
}

// Add appends figures of rounds.
func (r *Row) Add(server string, rounds ...Figures) {
	if r.Rounds == nil {
		r.Rounds = map[string][]Figures{}
	}
	r.Rounds[server] = append(r.Rounds[server], rounds...)
}

// Add appends what was measured at the next size.
func (g *Growth) Add(rows []GrowthRow) {
	if g.Rows == nil {
		g.Rows = rows
		return
	}
	for i, row := range rows {
		g.Rows[i].Figures = append(g.Rows[i].Figures, row.Figures...)
	}
}

func (r *Report) row(key string) *Row {
	i := slices.IndexFunc(r.Rows, func(row *Row) bool { return row.Key == key })
	if i < 0 {
		return nil
	}
	return r.Rows[i]
}

// Finish computes medians and verdicts.
func (r *Report) Finish() {
	for _, row := range r.Rows {
		row.Median, row.Verdicts = map[string]Figures{}, map[string]Verdict{}
		if row.Goal != nil {
			row.Target = row.Goal.Text
		}
		for server, rounds := range row.Rounds {
			row.Median[server] = Middle(rounds)
			if v, ok := r.judge(row, server); ok && judged(server) {
				row.Verdicts[server] = v
			}
		}
	}
}

// judged reports whether the goals are for a server.
func judged(server string) bool { return strings.HasPrefix(server, "berth") }

// Middle is the median of each figure.
func Middle(rounds []Figures) Figures {
	of := func(get func(Figures) float64) float64 {
		values := make([]float64, len(rounds))
		for i, f := range rounds {
			values[i] = get(f)
		}
		return median(values)
	}
	return Figures{
		Ops:            int(of(func(f Figures) float64 { return float64(f.Ops) })),
		Seconds:        of(func(f Figures) float64 { return f.Seconds }),
		OpsPerSecond:   of(func(f Figures) float64 { return f.OpsPerSecond }),
		BytesPerSecond: of(func(f Figures) float64 { return f.BytesPerSecond }),
		CPU:            of(func(f Figures) float64 { return f.CPU }),
		User:           of(func(f Figures) float64 { return f.User }),
		System:         of(func(f Figures) float64 { return f.System }),
		P50:            of(func(f Figures) float64 { return f.P50 }),
		P99:            of(func(f Figures) float64 { return f.P99 }),
		ClientCPU:      of(func(f Figures) float64 { return f.ClientCPU }),
		Memory:         int64(of(func(f Figures) float64 { return float64(f.Memory) })),
		Startup:        of(func(f Figures) float64 { return f.Startup }),
	}
}

// WriteJSON writes all of it.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
