package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/oci"
)

const (
	userVariable = "${user}"
	maxPattern   = 2048 // bytes
)

// Pattern is a pattern of repository names. It matches the whole name,
// component by component:
//
//   - within a component: any characters, also none, never a slash;
//     as a component: one component, whatever it is
//     **       a whole component only: any number of components, also none;
//     as the last component: one or more
//     ${user}  the name of the user, as it is: what it contains is no pattern;
//     it matches nothing for who is not a user
//
//     team/**    team/a, team/a/b       not team
//     **         everything
//     **/x       x, a/x, a/b/x          not x/a
//     a/**/b     a/b, a/x/b, a/x/y/b
//     team/*-ci  team/a-ci, team/b-ci   not team/a/b-ci
//
// Matching takes at most len(pattern) × len(name) steps, whatever they are.
// The zero Pattern matches nothing.
type Pattern struct {
	text  string
	parts []part
}

// part is what matches a component, or any number of them.
type part struct {
	deep   bool // **
	pieces []piece
}

type pieceKind uint8

const (
	pieceLiteral pieceKind = iota
	pieceStar
	pieceUser
)

type piece struct {
	kind pieceKind
	text string // of a literal; never empty
}

// ParsePattern reads a pattern of at most 2048 bytes.
func ParsePattern(s string) (Pattern, error) {
	if s == "" || len(s) > maxPattern {
		return Pattern{}, fmt.Errorf("a repository pattern has 1 to %d bytes", maxPattern)
	}
	p := Pattern{text: s}
	for c := range strings.SplitSeq(s, "/") {
		next, err := parsePart(c)
		if err != nil {
			return Pattern{}, fmt.Errorf("repository pattern %q: %w", s, err)
		}
		p.parts = append(p.parts, next)
	}
	p.endDeep()
	return p, nil
}

var errDeep = errors.New("** stands between slashes")

// endDeep makes a last ** one component or more.
func (p *Pattern) endDeep() {
	if p.parts[len(p.parts)-1].deep {
		p.parts = append(p.parts, part{pieces: []piece{{kind: pieceStar}}})
	}
}

func parsePart(s string) (part, error) {
	switch {
	case s == "":
		return part{}, errors.New("a slash stands at an end or beside another")
	case s == "**":
		return part{deep: true}, nil
	case strings.Contains(s, "**"):
		return part{}, errDeep
	case !strings.ContainsAny(s, "*$") && !oci.ValidComponent(s):
		return part{}, fmt.Errorf("%q is no component of a repository name", s)
	}
	var p part
	for s != "" {
		next, rest, err := parsePiece(s)
		if err != nil {
			return part{}, err
		}
		p.pieces, s = append(p.pieces, next), rest
	}
	return p, nil
}

func parsePiece(s string) (next piece, rest string, err error) {
	if rest, ok := strings.CutPrefix(s, userVariable); ok {
		return piece{kind: pieceUser}, rest, nil
	}
	if rest, ok := strings.CutPrefix(s, "*"); ok {
		return piece{kind: pieceStar}, rest, nil
	}
	n := 0
	for n < len(s) && isNameByte(s[n]) {
		n++
	}
	if n == 0 {
		return piece{}, "", fmt.Errorf("%q: only lower-case letters, digits, . _ - * and %s", s, userVariable)
	}
	return piece{pieceLiteral, s[:n]}, s[n:], nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

func (p Pattern) String() string { return p.text }

// Match reports whether the pattern matches a repository name. userName stands
// for ${user}; "" means that there is none.
func (p Pattern) Match(name, userName string) bool {
	if name == "" || len(p.parts) == 0 {
		return false
	}
	// The parts after the last ** are tried at one place after the other. What
	// an earlier ** took need never be looked at again: the later one can take
	// whatever another choice would have left over.
	i, at := 0, 0 // the next part; where the next component starts
	deep, from := -1, 0
	for i < len(p.parts) || at <= len(name) {
		if i < len(p.parts) && p.parts[i].deep {
			deep, from = i, at
			i++
			continue
		}
		if i < len(p.parts) && at <= len(name) {
			c, after := component(name, at)
			if p.parts[i].match(c, userName) {
				i, at = i+1, after
				continue
			}
		}
		if deep < 0 || from > len(name) {
			return false
		}
		_, from = component(name, from)
		i, at = deep+1, from
	}
	return true
}

// component returns the component of name that starts at a byte, and where the
// next one starts: beyond len(name) if there is none.
func component(name string, at int) (c string, after int) {
	if n := strings.IndexByte(name[at:], '/'); n >= 0 {
		return name[at : at+n], at + n + 1
	}
	return name[at:], len(name) + 1
}

// match does with * and characters what Pattern.Match does with ** and
// components.
func (p part) match(c, userName string) bool {
	i, at := 0, 0
	wild, from := -1, 0
	for i < len(p.pieces) || at < len(c) {
		if i < len(p.pieces) && p.pieces[i].kind == pieceStar {
			wild, from = i, at
			i++
			continue
		}
		if i < len(p.pieces) {
			if n := p.pieces[i].prefix(c[at:], userName); n > 0 {
				i, at = i+1, at+n
				continue
			}
		}
		if wild < 0 || from == len(c) {
			return false
		}
		from++
		i, at = wild+1, from
	}
	return true
}

// prefix returns how many bytes of s the piece matches at its start; 0 if it
// does not.
func (p piece) prefix(s, userName string) int {
	want := p.text
	if p.kind == pieceUser {
		want = userName
	}
	if strings.HasPrefix(s, want) {
		return len(want)
	}
	return 0
}
