package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const envPrefix = "BERTH_"

// readEnv sets keys from variables, sections before what is in them.
func (l *loader) readEnv(environ []string) {
	values := variables(environ)
	keys := schema()
	for _, k := range keys {
		if text, set := values[k.variable()]; set {
			l.setVariable(k, text)
			delete(values, k.variable())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		l.problems = append(l.problems, Problem{Path: name, Message: "unknown variable" + aboutUnknown(name, keys)})
	}
}

// variables returns what is meant for a configuration; of a name that is there twice the last one.
func variables(environ []string) map[string]string {
	values := map[string]string{}
	for _, line := range environ {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.HasPrefix(name, envPrefix) && !elsewhere(name) {
			values[name] = value
		}
	}
	return values
}

// elsewhere says whether other parts of berth, or its tests, read the variable.
func elsewhere(name string) bool {
	switch name {
	case "BERTH_CONFIG", "BERTH_ADMIN_PASSWORD", "BERTH_TOKEN", "BERTH_REQUIRE":
		return true
	}
	return strings.HasPrefix(name, "BERTH_TEST_")
}

func (l *loader) setVariable(k key, text string) {
	v := reflect.ValueOf(&l.config).Elem().FieldByIndex(k.index)
	s := source{variable: k.variable(), root: k.path}
	switch v.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map:
		l.decode(s, []byte(text), v)
		return
	}
	p := s.place(k.path, nil)
	if err := setText(v, text); err != nil {
		l.problems = append(l.problems, Problem{Path: p.path, Message: err.Error()})
		p.unread = true
	}
	l.places[k.path] = p
}

// A Service named berth makes Kubernetes hand BERTH_PORT=tcp://... to every container of the namespace.
var serviceLink = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

func aboutUnknown(name string, keys []key) string {
	if serviceLink.MatchString(name) {
		return "; Kubernetes sets it for a Service of that name: put enableServiceLinks: false into the pod"
	}
	var known []string
	for _, k := range keys {
		if !k.section {
			known = append(known, strings.TrimPrefix(k.variable(), envPrefix))
		}
	}
	if best := nearest(strings.TrimPrefix(name, envPrefix), known); best != "" {
		return ", did you mean " + envPrefix + best + "?"
	}
	return ""
}
