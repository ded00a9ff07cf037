package config

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// key is one key of the schema, a section or a value. The keys of a list's entries are no keys of their own.
type key struct {
	path    string
	index   []int // for reflect's FieldByIndex on a Config
	section bool
}

// variable returns the name in the environment: BERTH_HTTP_ADDR for http.addr.
func (k key) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// schema returns every key, a section before what is in it, in the order of Config.
func schema() []key { return keysOf(reflect.TypeFor[Config](), key{}) }

func keysOf(t reflect.Type, outer key) []key {
	var keys []key
	for i := range t.NumField() {
		f := t.Field(i)
		k := key{
			path:    join(outer.path, f.Tag.Get("yaml")),
			index:   append(slices.Clone(outer.index), i),
			section: f.Type.Kind() == reflect.Struct,
		}
		keys = append(keys, k)
		if k.section {
			keys = append(keys, keysOf(f.Type, k)...)
		}
	}
	return keys
}

// fieldsOf returns the fields of a section by the names of their keys.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("yaml")] = i
	}
	return fields
}

func names(fields map[string]int) []string { return slices.Sorted(maps.Keys(fields)) }

// isText says whether v is a scalar with a text form of its own: Duration, Size, Limit, netip.Prefix.
func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}
