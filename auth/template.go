package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/oci"
)

const (
	claimVariable = "${claim:"
	maxClaimName  = 64 // bytes
)

// Template is a repository pattern with variables ${claim:NAME}, each of which
// stands for what a token of an outside issuer claims.
//
//	ci/${claim:project_path}/**
//	${claim:owner}-images/*
//
// What is claimed is taken as it is, never as a pattern. It must be a component
// of a repository name, or several with slashes between them where the variable
// is all of a component; a claim that is neither makes a pattern of nothing.
type Template struct {
	text  string
	parts [][]segment
}

// segment is text of a pattern, or the name of a claim.
type segment struct{ text, claim string }

// ParseTemplate reads a template of at most 2048 bytes. The name of a claim has
// 1 to 64 letters, digits and . _ - in it.
func ParseTemplate(s string) (Template, error) {
	if len(s) > maxPattern || strings.Contains(s, userVariable) {
		return Template{}, fmt.Errorf("a repository pattern of an outside issuer has at most %d bytes and no %s", maxPattern, userVariable)
	}
	t := Template{text: s}
	for c := range strings.SplitSeq(s, "/") {
		segments, err := parseSegments(c)
		if err != nil {
			return Template{}, fmt.Errorf("repository pattern %q: %w", s, err)
		}
		t.parts = append(t.parts, segments)
	}
	if _, err := t.expand(func(string) string { return "x" }); err != nil {
		return Template{}, fmt.Errorf("with x for each claim: %w", err)
	}
	return t, nil
}

func parseSegments(s string) ([]segment, error) {
	var segments []segment
	for s != "" {
		before, after, has := strings.Cut(s, claimVariable)
		if before != "" {
			segments = append(segments, segment{text: before})
		}
		if !has {
			break
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !isClaimName(name) {
			return nil, errors.New("a variable is ${claim:NAME}")
		}
		segments, s = append(segments, segment{claim: name}), rest
	}
	return segments, nil
}

func isClaimName(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; !isNameByte(s[i]) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= maxClaimName
}

func (t Template) String() string { return t.text }

// Expand returns the pattern in which each variable has become what claim
// returns for its name, and false if that makes none.
func (t Template) Expand(claim func(name string) string) (Pattern, bool) {
	p, err := t.expand(claim)
	return p, err == nil
}

var errClaim = errors.New("the claim is no component of a repository name")

func (t Template) expand(claim func(name string) string) (Pattern, error) {
	var b strings.Builder
	for i, segments := range t.parts {
		if i > 0 {
			b.WriteByte('/')
		}
		for _, s := range segments {
			text := s.text
			if s.claim != "" {
				if text = claim(s.claim); !isPath(text, len(segments) == 1) {
					return Pattern{}, errClaim
				}
			}
			b.WriteString(text)
		}
	}
	return ParsePattern(b.String()) // of what a claim may be nothing is special in a pattern
}

// isPath reports whether a text is one component of a repository name, or
// several where that is allowed.
func isPath(text string, several bool) bool {
	if len(text) > oci.MaxRepository {
		return false
	}
	for c := range strings.SplitSeq(text, "/") {
		if !oci.ValidComponent(c) {
			return false
		}
	}
	return several || !strings.Contains(text, "/")
}
