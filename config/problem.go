package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File    string // as given to Load; "" for the environment and for what no file set
	Line    int    // from 1; 0 = unknown
	Column  int    // from 1, in characters; 0 = unknown
	Path    string // of the key, e.g. auth.grants[0].who[1]; for the environment the variable, e.g. BERTH_HTTP_ADDR
	Message string // one line, without secrets
}

// String returns `config.yaml:12:5: auth.token_ttl: must be ...`, without the parts that are unknown.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// Problems is every problem of a configuration at once, in the order of the file, those of the environment last. It is the
// error that Load returns for a bad configuration (errors.As finds it).
type Problems []Problem

var _ error = Problems(nil)

// Error returns one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			-cmp.Compare(min(len(a.File), 1), min(len(b.File), 1)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
}

// quote shows a value from outside on one line of bounded length.
func quote(text string) string {
	const most = 80
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "..."
	}
	return strconv.Quote(text)
}
