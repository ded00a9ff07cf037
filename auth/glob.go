package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Glob is a pattern of texts that are no repository names, such as the claims
// of an outside issuer's token. It has the wildcards of Pattern: * is any
// characters but no slash, ** between slashes is any number of components, and
// one or more at the end. Everything else stands for itself, in its own case.
// The empty text is matched by none, and the zero Glob matches nothing.
//
//	octo-org/*            octo-org/app              not octo-org/a/b, octo-organ/app
//	refs/heads/release-*  refs/heads/release-1.2    not refs/heads/release-1/x
//	repo:octo-org/**      repo:octo-org/app:ref:x
type Glob struct{ pattern Pattern }

// ParseGlob reads a glob of at most 2048 bytes of visible text.
func ParseGlob(s string) (Glob, error) {
	if s == "" || len(s) > maxPattern {
		return Glob{}, fmt.Errorf("a pattern has 1 to %d bytes", maxPattern)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return Glob{}, errors.New("a pattern is visible text")
	}
	g := Glob{Pattern{text: s}}
	for c := range strings.SplitSeq(s, "/") {
		next, err := globPart(c)
		if err != nil {
			return Glob{}, fmt.Errorf("pattern %q: %w", s, err)
		}
		g.pattern.parts = append(g.pattern.parts, next)
	}
	g.pattern.endDeep()
	return g, nil
}

func globPart(s string) (part, error) {
	if s == "**" {
		return part{deep: true}, nil
	}
	if strings.Contains(s, "**") {
		return part{}, errDeep
	}
	var p part
	for i, literal := range strings.Split(s, "*") {
		if i > 0 {
			p.pieces = append(p.pieces, piece{kind: pieceStar})
		}
		if literal != "" {
			p.pieces = append(p.pieces, piece{pieceLiteral, literal})
		}
	}
	return p, nil
}

func (g Glob) String() string { return g.pattern.text }

// Match reports whether the glob matches the whole text.
func (g Glob) Match(text string) bool { return g.pattern.Match(text, "") }

// PinsOwner reports whether whatever the glob matches is the same up to the
// first slash. Names begin with their owner: octo-org/* is one owner's, while
// */app and octo-* are anybody's who takes such a name.
func (g Glob) PinsOwner() bool {
	first, _, _ := strings.Cut(g.pattern.text, "/")
	return first != "" && !strings.Contains(first, "*")
}
