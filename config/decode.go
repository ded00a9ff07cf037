package config

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder writes the YAML of one source into a value of the schema. It goes on after a problem, and notes where each key
// was set. Why not yaml.Unmarshal: that stops at the first unknown key and forgets the places.
type decoder struct {
	source   source
	anchors  map[string]ast.Node
	nodes    int // visited so far; aliases let few words stand for many
	places   places
	problems Problems
}

// source is a file, or a variable that sets the key root.
type source struct {
	file     string
	variable string
	root     string
}

func (s source) place(path string, at *token.Position) place {
	if s.variable != "" {
		return place{path: s.variable + path[len(s.root):]}
	}
	if at == nil {
		return place{file: s.file, path: path}
	}
	return place{file: s.file, line: at.Line, column: at.Column, path: path}
}

// defaulter is implemented by entries of lists that have keys with defaults.
type defaulter interface{ setDefaults() }

var (
	_ defaulter = (*Upstream)(nil)
	_ defaulter = (*Override)(nil)
	_ defaulter = (*TrustedIssuer)(nil)
)

func newDecoder(s source, root ast.Node, ps places) *decoder {
	d := &decoder{source: s, anchors: map[string]ast.Node{}, places: ps}
	ast.Walk(anchorsOf(d.anchors), root)
	return d
}

type anchorsOf map[string]ast.Node

func (a anchorsOf) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok && anchor.Name != nil {
		a[anchor.Name.GetToken().Value] = anchor.Value
	}
	return a
}

func (d *decoder) report(path string, at *token.Position, format string, args ...any) {
	p := d.source.place(path, at)
	d.problems = append(d.problems, Problem{p.file, p.line, p.column, p.path, fmt.Sprintf(format, args...)})
}

// unread reports that what stands at path cannot be its value.
func (d *decoder) unread(path string, at *token.Position, format string, args ...any) {
	d.report(path, at, format, args...)
	d.markUnread(path, at)
}

func (d *decoder) markUnread(path string, at *token.Position) {
	p := d.source.place(path, at)
	p.unread = true
	d.places[path] = p
}

// value decodes n, which stands at the key at, into v.
func (d *decoder) value(path string, at *token.Position, n ast.Node, v reflect.Value) {
	d.places[path] = d.source.place(path, at)
	n, ok := d.resolve(path, at, n)
	if !ok {
		return
	}
	switch {
	case isText(v):
		d.scalar(path, at, n, v)
	case v.Kind() == reflect.Struct:
		d.section(path, at, n, v)
	case v.Kind() == reflect.Slice:
		d.list(path, at, n, v)
	case v.Kind() == reflect.Map:
		d.table(path, at, n, v)
	default:
		d.scalar(path, at, n, v)
	}
}

// resolve follows anchors and aliases.
func (d *decoder) resolve(path string, at *token.Position, n ast.Node) (ast.Node, bool) {
	if d.nodes++; d.nodes > maxTokens {
		d.tooMuch(path, at)
		return nil, false
	}
	for range maxAliases {
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.AliasNode:
			target, known := d.anchors[x.Value.GetToken().Value]
			if !known {
				d.unread(path, at, "this alias has no anchor (text that begins with * needs quotes)")
				return nil, false
			}
			n = target
		default:
			return n, true
		}
	}
	d.unread(path, at, "this alias stands for itself")
	return nil, false
}

// tooMuch says so once.
func (d *decoder) tooMuch(path string, at *token.Position) {
	d.markUnread(path, at)
	if d.nodes == maxTokens+1 {
		d.report(path, at, "the aliases before this stand for too much")
	}
}

func (d *decoder) section(path string, at *token.Position, n ast.Node, v reflect.Value) {
	if isNull(n) {
		return // a section whose keys are all comments
	}
	entries, ok := d.entries(path, n)
	if !ok {
		d.unread(path, at, "must be a section of keys, not %s", kindOf(n))
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		if i, known := fields[e.name]; known {
			d.value(join(path, e.name), e.at, e.value, v.Field(i))
			continue
		}
		d.report(join(path, showKey(e.name)), e.at, "unknown key %s%s", quote(e.name), suggest(e.name, names(fields)))
	}
}

// table decodes a map from text to text, whatever its keys are.
func (d *decoder) table(path string, at *token.Position, n ast.Node, v reflect.Value) {
	entries, ok := d.entries(path, n)
	if !ok {
		d.unread(path, at, "must be a map of text to text, not %s; {} is an empty one", kindOf(n))
		return
	}
	d.places.forget(path)
	v.SetZero()
	for _, e := range entries {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, showKey(e.name)), e.at, e.value, element)
		v.SetMapIndex(reflect.ValueOf(e.name), element)
	}
}

func (d *decoder) list(path string, at *token.Position, n ast.Node, v reflect.Value) {
	values, ok := items(n, v)
	if !ok {
		d.unread(path, at, "must be a list, not %s; [] is an empty one", kindOf(n))
		return
	}
	d.places.forget(path)
	v.SetZero() // an empty list is nil, as in Default
	for i, item := range values {
		element := reflect.New(v.Type().Elem())
		if e, ok := element.Interface().(defaulter); ok {
			e.setDefaults()
		}
		d.value(path+"["+strconv.Itoa(i)+"]", startOf(item, at), item, element.Elem())
		v.Set(reflect.Append(v, element.Elem()))
	}
}

// items returns the entries of a list; text alone is a list of one Files.
func items(n ast.Node, v reflect.Value) ([]ast.Node, bool) {
	switch x := n.(type) {
	case *ast.SequenceNode:
		return x.Values, true
	case *ast.StringNode:
		return []ast.Node{x}, v.Type() == reflect.TypeFor[Files]()
	}
	return nil, false
}

func (d *decoder) scalar(path string, at *token.Position, n ast.Node, v reflect.Value) {
	text, ok := textOf(n, v)
	if !ok {
		d.unread(path, at, "must be %s, not %s", wanted(v), kindOf(n))
		return
	}
	if err := setText(v, text); err != nil {
		d.unread(path, at, "%v", err)
	}
}

// textOf returns what is written for a scalar, if what is written is of v's kind: a number is no text, text is no number.
func textOf(n ast.Node, v reflect.Value) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, isText(v) || v.Kind() == reflect.String
	case *ast.LiteralNode:
		return x.Value.Value, v.Kind() == reflect.String
	case *ast.IntegerNode:
		return x.Token.Value, v.Kind() != reflect.String && v.Kind() != reflect.Bool && v.Kind() != reflect.Struct
	case *ast.BoolNode:
		return x.Token.Value, v.Kind() == reflect.Bool
	}
	return "", false
}

// setText sets a scalar from text, as the environment gives it.
func setText(v reflect.Value, text string) error {
	if prefix, ok := v.Addr().Interface().(*netip.Prefix); ok {
		return setPrefix(prefix, text)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		return setBool(v, text)
	default:
		return setInt(v, text)
	}
}

func setBool(v reflect.Value, text string) error {
	if text != "true" && text != "false" {
		return fmt.Errorf("must be true or false, not %s", quote(text))
	}
	v.SetBool(text == "true")
	return nil
}

func setInt(v reflect.Value, text string) error {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return fmt.Errorf("must be a whole number, not %s", quote(text))
	}
	v.SetInt(n)
	return nil
}
