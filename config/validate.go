package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Validate returns everything that makes no sense in c or is not built yet, and nothing when c is good. It is pure: it looks at no
// file and no clock. Its problems have a Path and a Message; Load adds the places.
func Validate(c Config) Problems {
	var r review
	r.http(c)
	r.metrics(c)
	r.log(c.Log)
	r.storage(c.Storage)
	r.metadata(c)
	r.redis(c)
	r.auth(c)
	r.rateLimit(c.RateLimit)
	r.mirror(c)
	r.registry(c.Registry)
	r.gc(c.GC)
	r.webhooks(c.Webhooks)
	return append(r.problems, unbuilt(c)...)
}

// review collects problems.
type review struct{ problems Problems }

func (r *review) add(path, format string, args ...any) {
	r.problems = append(r.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// check adds err, if there is one, as what is wrong at path.
func (r *review) check(path string, err error) {
	if err != nil {
		r.problems = append(r.problems, Problem{Path: path, Message: err.Error()})
	}
}

// optional checks text that may be empty.
func (r *review) optional(path, text string, check func(string) error) {
	if text != "" {
		r.check(path, check(text))
	}
}

// each checks the entries of a list, which may be empty; none may be there twice.
func (r *review) each(path string, texts []string, check func(string) error) {
	for i, text := range texts {
		r.check(at(path, i), check(text))
		if first := slices.Index(texts, text); first < i {
			r.add(at(path, i), "is in the list already, as entry %d", first+1)
		}
	}
}

// some is each for a list that must not be empty.
func (r *review) some(path string, texts []string, check func(string) error) {
	if len(texts) == 0 {
		r.add(path, "must have at least one entry")
	}
	r.each(path, texts, check)
}

func (r *review) oneOf(path, text string, allowed ...string) {
	if !slices.Contains(allowed, text) {
		r.add(path, "must be %s, not %s%s", strings.Join(allowed, " or "), quote(text), suggest(text, allowed))
	}
}

// together wants both of two texts or none.
func (r *review) together(pathA, a, pathB, b string) {
	if a != "" && b == "" {
		r.add(pathA, "needs %s too", pathB)
	}
	if b != "" && a == "" {
		r.add(pathB, "needs %s too", pathA)
	}
}

// within wants a value between two others, inclusive.
func within[T interface {
	~int64
	fmt.Stringer
}](r *review, path string, v, least, most T) {
	if v < least || v > most {
		r.add(path, "must be between %v and %v, not %v", least, most, v)
	}
}

// notNegative is for values that cannot be negative in text but can in a Config made by hand.
func notNegative[T ~int | ~int64](r *review, path string, v T) {
	if v < 0 {
		r.add(path, "must not be negative")
	}
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
