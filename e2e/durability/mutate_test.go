package durability

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mutate changes what a request did, in every way that breaks its promise, and
// wants each change noticed and its call named. It returns how many it made.
func mutate(t *testing.T, p promise, calls []call) (n int) {
	t.Helper()
	calls = slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !matters(c) })
	lines := [][]call{calls} // each is in an order of its own
	if p.behind != nil {
		beside := slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !inStorage(c) })
		lines = [][]call{slices.DeleteFunc(slices.Clone(calls), inStorage), beside}
	}
	noticed := func(what string, c call, changed []call) {
		t.Helper()
		n++
		err := p.kept(numbered(changed))
		if err == nil || !strings.Contains(err.Error(), c.label) {
			t.Errorf("%s %q: %v, want an error that names it, of\n%v", what, c, err, changed)
		}
	}
	for i, line := range lines {
		rest := slices.Concat(slices.Concat(lines[:i]...), slices.Concat(lines[i+1:]...))
		steps := p.steps
		if i == 1 {
			steps = p.behind
		}
		must(t, p.kept(numbered(slices.Concat(line, rest))))
		of := stepOf(steps, line)
		for j, c := range line {
			without := slices.Delete(slices.Clone(line), j, j+1)
			alone := !slices.ContainsFunc(without, func(o call) bool { return o.label == c.label && steps[of[j]].many })
			if alone { // one write less is another body, not another promise
				noticed("without", c, slices.Concat(without, rest))
			}
			noticed("twice", c, slices.Concat(line, []call{c}, rest))
			for k := range line {
				if of[k] == of[j] {
					continue
				}
				noticed(fmt.Sprintf("at %d instead of %d", k, j), c, slices.Concat(slices.Insert(slices.Clone(without), k, c), rest))
			}
			if j+1 == len(line) {
				continue
			}
			if of[j+1] == of[j] { // the control: what has no order may come in any
				must(t, p.kept(numbered(slices.Concat(slices.Insert(slices.Clone(without), j+1, c), rest))))
			} else {
				n++
				if err := p.kept(overlapping(slices.Concat(line, rest), j)); err == nil {
					t.Errorf("%q begins before %q has ended: not noticed", line[j+1], c)
				}
			}
		}
	}
	return n
}

// numbered lets the calls happen one after the other.
func numbered(calls []call) []call {
	calls = slices.Clone(calls)
	for i := range calls {
		calls[i].begin, calls[i].end = 2*i, 2*i+1
	}
	return calls
}

// overlapping lets call j end after the next one has begun.
func overlapping(calls []call, j int) []call {
	calls = numbered(calls)
	calls[j].end, calls[j+1].begin = calls[j+1].begin, calls[j].end
	return calls
}

// stepOf returns the index of the step that each call belongs to.
func stepOf(steps []step, calls []call) []int {
	var of []int
	at, open := 0, slices.Clone(steps[0].calls)
	for _, c := range calls {
		for {
			if i := slices.Index(open, c.label); i >= 0 {
				open = slices.Delete(open, i, i+1)
				break
			}
			if steps[at].many && c.label == steps[at].calls[0] {
				break
			}
			at++
			open = slices.Clone(steps[at].calls)
		}
		of = append(of, at)
	}
	return of
}
