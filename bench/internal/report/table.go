package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is cells of text; the first line is the head.
type table [][]string

// WriteText prints the report for a terminal.
func (r *Report) WriteText(w io.Writer) error { return r.write(w, table.text) }

// WriteMarkdown prints the same as Markdown.
func (r *Report) WriteMarkdown(w io.Writer) error { return r.write(w, table.markdown) }

func (r *Report) write(w io.Writer, print func(table) string) error {
	var parts []string
	if len(r.Rows) > 0 {
		parts = append(parts, "CPU of the server per operation (ms) / operations per second:", print(r.figures()))
		if berths := r.berths(); len(berths) > 0 {
			parts = append(parts, "Compared, and what must be reached:", print(r.comparison(berths)))
		}
	}
	for _, g := range r.Growth {
		title := fmt.Sprintf("%s as tags, manifests and repositories grow, CPU (ms) / operations per second (ratio of these to the smallest):", g.Server)
		parts = append(parts, title, print(g.table()))
	}
	parts = append(parts, strings.Join(r.Notes, "\n"))
	_, err := fmt.Fprintln(w, strings.Join(parts, "\n\n"))
	return err
}

// berths are the servers that goals are for.
func (r *Report) berths() (list []string) {
	for _, s := range r.Servers {
		if judged(s) {
			list = append(list, s)
		}
	}
	return list
}

func (r *Report) figures() table {
	t := table{append([]string{"operation"}, r.Servers...)}
	for _, row := range r.Rows {
		line := []string{row.Name}
		for _, s := range r.Servers {
			f, ok := row.Median[s]
			line = append(line, cell(f, ok))
		}
		t = append(t, line)
	}
	return t
}

func cell(f Figures, ok bool) string {
	switch {
	case !ok:
		return "-"
	case f.Memory > 0:
		return fmt.Sprintf("%.1f MB", float64(f.Memory)/1e6)
	case f.Startup > 0:
		return fmt.Sprintf("%.0f ms", f.Startup)
	case f.BytesPerSecond > 0:
		return number(f.CPU) + " / " + bytesPerSecond(f.BytesPerSecond)
	}
	return number(f.CPU) + " / " + thousands(f.OpsPerSecond)
}

// comparison has for each berth its ratios, and whether it reached the target.
func (r *Report) comparison(berths []string) table {
	head := []string{"operation"}
	for _, s := range berths {
		head = append(head, s+": CPU / floor", "CPU / distribution", "rate / distribution")
	}
	t := table{append(append(head, "target"), prefixed("reached by ", berths)...)}
	for _, row := range r.Rows {
		line := []string{row.Name}
		for _, s := range berths {
			line = append(line, times(row, s, "floor", CPU), times(row, s, "distribution", CPU), times(row, s, "distribution", Rate))
		}
		line = append(line, row.Target)
		for _, s := range berths {
			v, ok := row.Verdicts[s]
			line = append(line, verdict(v, ok, row.Goal))
		}
		t = append(t, line)
	}
	return t
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

// times is how a server's quantity relates to another's; memory stands in for CPU in its row.
func times(row *Row, server, other string, q Quantity) string {
	if row.Median[server].Memory > 0 {
		if q == Rate {
			return "-"
		}
		q = Memory
	}
	x, ok := ratio(row.Rounds[server], row.Rounds[other], q)
	if !ok {
		return "-"
	}
	return number(x)
}

func verdict(v Verdict, ok bool, g *Goal) string {
	if !ok {
		return "-"
	}
	word := "NO"
	if v.Reached {
		word = "yes"
	}
	switch {
	case g.Of == Memory && g.Server == "":
		return fmt.Sprintf("%s, %.1f MB", word, v.Got/1e6)
	case g.Of == Rate && g.Server == "" && g.Row == "":
		return word + ", " + thousands(v.Got)
	}
	return word + ", " + number(v.Got)
}

func (g Growth) table() table {
	head := []string{"operation"}
	for _, n := range g.Sizes {
		head = append(head, strconv.Itoa(n))
	}
	t := table{head}
	for _, row := range g.Rows {
		line := []string{row.Name}
		for _, f := range row.Figures {
			text := cell(f, true)
			if first := row.Figures[0].OpsPerSecond; first > 0 {
				text += " (" + number(f.OpsPerSecond/first) + ")"
			}
			line = append(line, text)
		}
		t = append(t, line)
	}
	return t
}

// number has three digits that mean something, more or less.
func number(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', 3, 64)
}

func thousands(x float64) string {
	if x >= 1000 {
		return number(x/1000) + "k"
	}
	return number(x)
}

func bytesPerSecond(x float64) string {
	if x >= 1e9 {
		return number(x/1e9) + " GB/s"
	}
	return number(x/1e6) + " MB/s"
}

// text aligns the columns.
func (t table) text() string {
	widths := make([]int, len(t[0]))
	for _, line := range t {
		for i, s := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	for _, line := range t {
		for i, s := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s))
			switch {
			case i == 0:
				b.WriteString(s + pad)
			case i == len(line)-1:
				b.WriteString("  " + s)
			default:
				b.WriteString("  " + s + pad)
			}
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (t table) markdown() string {
	var b strings.Builder
	for i, line := range t {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
