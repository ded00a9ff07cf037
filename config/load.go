package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
)

// Load reads the file at path over Default, then the BERTH_* variables of environ ("NAME=value", as from os.Environ), and
// checks the result. Without a path there is no file. A file that cannot be read is an error that wraps the cause (fs.ErrNotExist);
// everything wrong with its content and the environment is returned at once, as Problems.
func Load(path string, environ []string) (Config, error) {
	c, _, err := Check(path, environ)
	return c, err
}

// Check is Load with Notes about what it has read, each with its place.
func Check(path string, environ []string) (Config, Problems, error) {
	var data []byte
	if path != "" {
		var err error
		if data, err = readFile(path); err != nil {
			return Config{}, nil, fmt.Errorf("reading the configuration: %w", err)
		}
	}
	return check(path, data, environ)
}

// readFile reads no more of a file than is needed to see that it is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

func load(file string, data []byte, environ []string) (Config, error) {
	c, _, err := check(file, data, environ)
	return c, err
}

func check(file string, data []byte, environ []string) (Config, Problems, error) {
	l := loader{file: file, config: Default(), places: places{}}
	readable := l.readFile(data)
	l.readEnv(environ)
	if readable {
		l.validate()
	}
	if len(l.problems) > 0 {
		l.problems.sort()
		return Config{}, nil, l.problems
	}
	return l.config, l.notes(), nil
}

type loader struct {
	file     string
	config   Config
	places   places
	problems Problems
}

// readFile is false when data is no YAML at all, so that nothing can be said about its keys.
func (l *loader) readFile(data []byte) bool {
	return l.decode(source{file: l.file}, data, reflect.ValueOf(&l.config).Elem())
}

// decode reads YAML into the part v of the configuration that the source sets.
func (l *loader) decode(s source, data []byte, v reflect.Value) bool {
	root, bad := parseDocument(data)
	if bad != nil {
		p := s.place(s.root, bad.at)
		l.problems = append(l.problems, Problem{p.file, p.line, p.column, p.path, bad.message})
		return false
	}
	d := newDecoder(s, root, l.places)
	d.value(s.root, startOf(root, nil), root, v)
	l.problems = append(l.problems, d.problems...)
	return true
}

// validate puts each problem at the key that brought it in.
func (l *loader) validate() {
	for _, p := range Validate(l.config) {
		if !l.places.unread(p.Path) {
			l.problems = append(l.problems, l.places.problem(l.file, p.Path, p.Message))
		}
	}
}

// notes puts each note at its key.
func (l *loader) notes() Problems {
	var notes Problems
	for _, n := range Notes(l.config) {
		notes = append(notes, l.places.problem(l.file, n.Path, n.Message))
	}
	notes.sort()
	return notes
}
