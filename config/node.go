package config

import (
	"reflect"
	"regexp"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// entry is one key of a YAML map with its value.
type entry struct {
	name  string
	at    *token.Position
	value ast.Node
}

// entries returns the keys of a map in their order. Those that cannot be keys here, and those that are there already, are
// reported and left out. It is false when n is no map.
func (d *decoder) entries(path string, n ast.Node) ([]entry, bool) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return nil, false
	}
	var out []entry
	lines := map[string]int{}
	for _, v := range m.Values {
		at := v.Key.GetToken().Position
		name, ok := nameOf(v.Key)
		if !ok {
			d.report(path, at, "%s cannot be a key here", quote(v.Key.String()))
			continue
		}
		if line, twice := lines[name]; twice {
			d.report(join(path, showKey(name)), at, "is set twice, first on line %d", line)
			continue
		}
		lines[name] = at.Line
		out = append(out, entry{name, at, v.Value})
	}
	return out, true
}

// nameOf refuses merge keys (<<), anchors and aliases.
func nameOf(key ast.MapKeyNode) (string, bool) {
	switch key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return key.GetToken().Value, true
	}
	return "", false
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,64}$`)

// showKey returns a key as a part of a path that stays on its line.
func showKey(name string) string {
	if plainKey.MatchString(name) {
		return name
	}
	return quote(name)
}

// startOf returns where an entry of a list begins: at its first key, if it is a map of its own lines.
func startOf(n ast.Node, otherwise *token.Position) *token.Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if at := position(n); at != nil {
		return at
	}
	return otherwise
}

func isNull(n ast.Node) bool {
	return n == nil || n.Type() == ast.NullType
}

// kindOf says in a message what stands there. It never shows the value: that may be a secret.
func kindOf(n ast.Node) string {
	if isNull(n) {
		return "nothing"
	}
	switch n.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a map"
	case ast.SequenceType:
		return "a list"
	case ast.StringType, ast.LiteralType:
		return "text"
	case ast.BoolType:
		return "true or false"
	default:
		return "a number"
	}
}

// wanted says in a message what should stand there.
func wanted(v reflect.Value) string {
	switch v.Addr().Interface().(type) {
	case *Duration:
		return "a duration such as 30s, 5m, 24h or 30d"
	case *Size:
		return "a size such as 512KiB, 4MiB or 10GiB"
	case *Limit:
		return "a number of pulls or unlimited"
	}
	switch v.Kind() {
	case reflect.Struct:
		return "an address range such as 10.0.0.0/8"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return `text (in quotes, or "" for none)`
	default:
		return "a whole number"
	}
}
