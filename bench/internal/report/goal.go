package report

// Goal is what berth must reach in a row: that a quantity of it is at most (CPU, Memory) or at least (Rate) so many
// times what it is compared with.
type Goal struct {
	Text   string
	Of     Quantity
	Times  float64
	Server string // compared with this server in the same row
	Row    string // or with berth itself in another row; with neither, Times is absolute
}

// Verdict is whether a goal was reached, and by how much.
type Verdict struct {
	Got     float64 `json:"got"`  // ratio, or absolute
	Goal    float64 `json:"goal"` // what Got is compared with
	Reached bool    `json:"reached"`
}

// judge returns false if what the goal needs was not measured.
func (r *Report) judge(row *Row, server string) (Verdict, bool) {
	g := row.Goal
	if g == nil {
		return Verdict{}, false
	}
	got, ok := r.relative(row, server, *g)
	if !ok {
		return Verdict{}, false
	}
	v := Verdict{Got: got, Goal: g.Times, Reached: got <= g.Times}
	if g.Of == Rate {
		v.Reached = got >= g.Times
	}
	return v, true
}

func (r *Report) relative(row *Row, server string, g Goal) (float64, bool) {
	switch {
	case g.Server != "":
		return ratio(row.Rounds[server], row.Rounds[g.Server], g.Of)
	case g.Row != "":
		other := r.row(g.Row)
		if other == nil {
			return 0, false
		}
		return ratio(row.Rounds[server], other.Rounds[server], g.Of)
	}
	rounds := row.Rounds[server]
	return median(each(rounds, g.Of)), len(rounds) > 0
}

// ratio is the median of the rounds' ratios.
func ratio(a, b []Figures, q Quantity) (float64, bool) {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if d := b[i].quantity(q); d > 0 {
			ratios = append(ratios, a[i].quantity(q)/d)
		}
	}
	return median(ratios), len(ratios) > 0
}

func each(rounds []Figures, q Quantity) []float64 {
	values := make([]float64, len(rounds))
	for i, f := range rounds {
		values[i] = f.quantity(q)
	}
	return values
}
