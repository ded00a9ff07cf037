package differential

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// deviation is one way in which berth answers otherwise than distribution,
// and why. It matches by what was asked (ops, label), and by what exactly
// differs; it must not match more than it explains.
type deviation struct {
	id    string // the name of the entry
	ops   []op   // any of them; nil: whatever
	label string // that the step has; empty: whatever
	forms []difference
	when  func(exchange) bool // what else must hold; may be nil
	mend  mend                // makes the registries equal again; nil: they still are

	// For people, in docs/differences.md.
	request      string
	distribution string
	berth        string
	why          reason
	open         string // why this should perhaps not be so; empty if it should
}

// reason justifies a deviation: by a sentence of a specification, or by
// design where there is none.
type reason struct {
	source  source // empty: design
	section string
	quote   string // one sentence, word for word
	design  string // what a quotation does not say by itself
}

// source is a document that is quoted.
type source string

const (
	distributionSpec source = "distribution-spec"
	imageSpec        source = "image-spec"
	rfc3986          source = "RFC 3986"
	rfc8259          source = "RFC 8259"
	rfc9110          source = "RFC 9110"
	rfc9111          source = "RFC 9111"
)

// outcome is a difference of status, with the codes of the error.
func outcome(dist, berth string) difference { return difference{"status", dist, berth} }

// code is a difference of codes under one status.
func code(dist, berth string) difference { return difference{"code", dist, berth} }

// either holds for a step with any of the labels.
func either(labels ...string) func(exchange) bool {
	return func(x exchange) bool { return slices.ContainsFunc(labels, x.is) }
}

// explains returns the form that matches a difference, with the alternatives
// that did. Values are patterns: "a|b" is either, "a*" whatever begins so. An
// answer to HEAD has no body and therefore no codes.
func (d *deviation) explains(x exchange, diff difference) (difference, bool) {
	if d.ops != nil && !slices.Contains(d.ops, x.op) || d.label != "" && !x.is(d.label) || d.when != nil && !d.when(x) {
		return difference{}, false
	}
	for _, form := range d.forms {
		dist, ok := match(form.dist, diff.dist, x.method)
		berth, also := match(form.berth, diff.berth, x.method)
		if form.field == diff.field && ok && also {
			return difference{form.field, dist, berth}, true
		}
	}
	return difference{}, false
}

// match returns the alternative of a pattern that a value is.
func match(pattern, value, method string) (string, bool) {
	for p := range strings.SplitSeq(pattern, "|") {
		prefix, open := strings.CutSuffix(p, "*")
		switch {
		case open && strings.HasPrefix(value, prefix), p == value:
			return p, true
		case method == http.MethodHead && len(value) == 3 && strings.HasPrefix(p, value+" "):
			return p, true
		}
	}
	return "", false
}

// part is a chapter of the table.
type part struct {
	title   string
	entries []deviation
}

// table is all deviations, and which of their forms were needed.
type table struct {
	parts   []part
	entries []deviation

	mu   sync.Mutex
	used map[use]bool
}

// use is one alternative of one side of one form of an entry.
type use struct{ id, field, side, value string }

func newTable() *table {
	t := &table{used: map[use]bool{}, parts: []part{
		{"Paths and methods", routeDeviations()},
		{"Pulling manifests", pullDeviations()},
		{"Pushing manifests", manifestDeviations()},
		{"Deleting", deleteDeviations()},
		{"Pulling blobs", blobDeviations()},
		{"Uploading blobs", uploadDeviations()},
		{"Upload sessions", sessionDeviations()},
		{"Listing", listDeviations()},
	}}
	for _, p := range t.parts {
		t.entries = append(t.entries, p.entries...)
	}
	return t
}

// explain returns the entries that match a difference: one, if all is well.
func (t *table) explain(x exchange, diff difference) []*deviation {
	var found []*deviation
	for i := range t.entries {
		d := &t.entries[i]
		if form, ok := d.explains(x, diff); ok {
			t.note(d.id, form)
			found = append(found, d)
		}
	}
	return found
}

func (t *table) note(id string, form difference) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used[use{id, form.field, "distribution", form.dist}] = true
	t.used[use{id, form.field, "berth", form.berth}] = true
}

// unused lists what nothing matched.
func (t *table) unused() []use {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []use
	for _, d := range t.entries {
		for _, form := range d.forms {
			for v := range strings.SplitSeq(form.dist, "|") {
				list = append(list, use{d.id, form.field, "distribution", v})
			}
			for v := range strings.SplitSeq(form.berth, "|") {
				list = append(list, use{d.id, form.field, "berth", v})
			}
		}
	}
	return slices.DeleteFunc(list, func(u use) bool { return t.used[u] })
}
