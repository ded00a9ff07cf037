package config

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"testing"
)

const defaultFile = "../config.yaml"

func TestDefaultFileIsDefault(t *testing.T) {
	got, err := Load(defaultFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("config.yaml is not Default():\n got %+v\nwant %+v", got, want)
	}
}

func TestDefaultIsValid(t *testing.T) {
	if ps := Validate(Default()); len(ps) > 0 {
		t.Errorf("Default() is not valid:\n%v", ps)
	}
}

func TestDefaultSharesNothing(t *testing.T) {
	Default().Auth.Grants[0].Who[0] = "anonymous"
	Default().Auth.Key[0] = "elsewhere"
	if who := Default().Auth.Grants[0].Who[0]; who != "authenticated" {
		t.Errorf("a change of one Default() shows in the next: %q", who)
	}
}

func TestDefaultFileHasEveryKeyInOrder(t *testing.T) {
	data := read(t, defaultFile)
	l := loader{config: Default(), places: places{}}
	if !l.readFile(data) || len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	line := 0
	for _, k := range schema() {
		p, found := l.places[k.path]
		if !found {
			t.Errorf("config.yaml lacks %s", k.path)
			continue
		}
		if p.line < line {
			t.Errorf("%s is on line %d of config.yaml, before its predecessor", k.path, p.line)
		}
		line = p.line
	}
}

// The keys of entries stand in commented examples.
func TestDefaultFileShowsEveryKeyOfEntries(t *testing.T) {
	data := read(t, defaultFile)
	for _, entry := range entryTypes() {
		for name := range fieldsOf(entry) {
			if !regexp.MustCompile(`[\s{]` + name + `: `).Match(data) {
				t.Errorf("config.yaml does not show %s of %s", name, entry)
			}
		}
	}
}

func entryTypes() []reflect.Type {
	var types []reflect.Type
	for _, k := range schema() {
		t := reflect.TypeFor[Config]().FieldByIndex(k.index).Type
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && t.Elem().NumField() > 0 && t.Elem().Field(0).Tag != "" {
			types = append(types, t.Elem())
		}
	}
	return types
}

// The commented examples are real: without their comment signs they decode, and only "not built yet" is wrong with them.
func TestDefaultFileExamples(t *testing.T) {
	data := read(t, defaultFile)
	data = regexp.MustCompile(`(?m)^(\s+[a-z_]+:) \[\](.*\n\s+# (- |who:))`).ReplaceAll(data, []byte("$1 $2"))
	data = regexp.MustCompile(`(?m)^(\s*)# (- |  [a-z_]+: )`).ReplaceAll(data, []byte("$1$2"))
	data = regexp.MustCompile(`(?m)^webhooks: \[\]`).ReplaceAll(data, []byte("webhooks:"))
	data = bytes.Replace(data, []byte("$2y$10$..."), []byte(testHash), 1)
	l := loader{config: Default(), places: places{}}
	if !l.readFile(data) || len(l.problems) > 0 {
		t.Fatalf("%v\n%s", l.problems, data)
	}
	c := l.config
	if len(c.Mirror.Upstreams) != 1 || len(c.Auth.Users) != 1 || len(c.Auth.Grants) != 4 || len(c.Webhooks) != 1 || len(c.Registry.Retention) != 1 {
		t.Fatalf("the examples were not read:\n%s", data)
	}
	for _, p := range Validate(c) {
		if p.Message != "is not built yet" {
			t.Errorf("%v", p)
		}
	}
}

// What the documentation shows is good as it is.
func TestDocumentedExamples(t *testing.T) {
	data := read(t, "../docs/auth-providers.md")
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(data, -1)
	if len(examples) != 4 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		var secrets []string // are better not in the file, as it says
		if bytes.Contains(e[1], []byte("BIND_PASSWORD")) {
			secrets = []string{"BERTH_AUTH_LDAP_BIND_PASSWORD=x"}
		}
		if _, err := load("example.yaml", e[1], secrets); err != nil {
			t.Errorf("%v in\n%s", err, e[1])
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
