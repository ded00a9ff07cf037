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
	if p.behind == nil {
		m := mutation{t: t, promise: p, steps: p.steps, line: calls}
		return m.all()
	}
	// What is done beside the answer has an order of its own.
	beside := slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !inStorage(c) })
	before := slices.DeleteFunc(slices.Clone(calls), inStorage)
	first := mutation{t: t, promise: p, steps: p.steps, line: before, rest: beside}
	second := mutation{t: t, promise: p, steps: p.behind, line: beside, rest: before}
	return first.all() + second.all()
}

// mutation changes one line of calls that has an order.
type mutation struct {
	t *testing.T
	promise
	steps []step // of line
	line  []call
	rest  []call // in another order, or none
	n     int
}

func (m *mutation) all() int {
	m.t.Helper()
	must(m.t, m.kept(numbered(slices.Concat(m.line, m.rest))))
	of := stepOf(m.steps, m.line)
	for j, c := range m.line {
		without := slices.Delete(slices.Clone(m.line), j, j+1)
		another := func(o call) bool { return o.label == c.label }
		if !m.steps[of[j]].many || !slices.ContainsFunc(without, another) { // one write less is another body, not another promise
			m.noticed("without", c, without)
		}
		if last := of[j] == len(m.steps)-1; !last || !m.steps[of[j]].many { // nor is one more
			m.noticed("twice", c, append(slices.Clone(m.line), c))
		}
		for k := range m.line {
			if of[k] != of[j] {
				m.noticed(fmt.Sprintf("at %d instead of %d", k, j), c, slices.Insert(slices.Clone(without), k, c))
			}
		}
		next := slices.IndexFunc(of, func(step int) bool { return step > of[j] })
		if next >= 0 {
			m.late(j, next)
		}
		if j+1 != next && j+1 < len(m.line) {
			m.anyOrder(j)
		}
	}
	return m.n
}

// noticed wants a changed line to break the promise.
func (m *mutation) noticed(what string, c call, changed []call) {
	m.t.Helper()
	m.n++
	err := m.kept(numbered(slices.Concat(changed, m.rest)))
	if err == nil || !strings.Contains(err.Error(), c.label) {
		m.t.Errorf("%s %q: %v, want an error that names it, of\n%v", what, c, err, changed)
	}
}

// late lets a call end when one of the next step has begun. Whatever else is in
// its step has ended by then: that is not enough.
func (m *mutation) late(j, next int) {
	m.t.Helper()
	m.n++
	calls := numbered(slices.Concat(m.line, m.rest))
	calls[j].end = calls[next].begin
	if err := m.kept(calls); err == nil || !strings.Contains(err.Error(), "began before") || !strings.Contains(err.Error(), calls[j].label) {
		m.t.Errorf("%q begins before %q has ended: %v", calls[next], calls[j], err)
	}
}

// anyOrder is the control: two calls of one step may come in any order, and at
// the same time.
func (m *mutation) anyOrder(j int) {
	m.t.Helper()
	swapped := slices.Clone(m.line)
	swapped[j], swapped[j+1] = swapped[j+1], swapped[j]
	must(m.t, m.kept(numbered(slices.Concat(swapped, m.rest))))
	calls := numbered(slices.Concat(m.line, m.rest))
	calls[j].end = calls[j+1].end
	must(m.t, m.kept(calls))
}

// numbered lets the calls happen one after the other.
func numbered(calls []call) []call {
	calls = slices.Clone(calls)
	for i := range calls {
		calls[i].begin, calls[i].end = 2*i, 2*i+1
	}
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
