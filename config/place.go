package config

import (
	"maps"
	"strings"
)

// place is where a value was set: a key in the file, or a variable.
type place struct {
	file         string
	line, column int
	path         string // what the value is called there
	unread       bool   // what stands there is of the wrong kind
}

// places knows where each key that was set was set, by path.
type places map[string]place

// problem puts a message about a key where that key was set. A key that was not set is put at the nearest section or entry
// around it that was.
func (ps places) problem(file, path, message string) Problem {
	for outer := path; outer != ""; outer = parent(outer) {
		if p, found := ps[outer]; found {
			return Problem{File: p.file, Line: p.line, Column: p.column, Path: p.path + path[len(outer):], Message: message}
		}
	}
	return Problem{File: file, Path: path, Message: message}
}

// unread says whether a key has its default only because what was written for it, or around it, could not be read. To report
// more about it would mislead.
func (ps places) unread(path string) bool {
	for outer := path; outer != ""; outer = parent(outer) {
		if p, found := ps[outer]; found {
			return p.unread
		}
	}
	return false
}

// forget drops what is known about the entries below a list or map that is set anew.
func (ps places) forget(path string) {
	maps.DeleteFunc(ps, func(inner string, _ place) bool {
		rest, below := strings.CutPrefix(inner, path)
		return below && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "["))
	})
}

// parent returns a.b for a.b.c and for a.b[0], and "" for a.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// join returns the path of a key of a section.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
