package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Limits of a manifest's JSON: far above any real one (Docker's limit is 127
// layers), far below what would make parsing or storing one expensive.
const (
	maxDescriptors = 10_000 // in one list
	maxMembers     = 10_000 // of one object
	maxDepth       = 100
)

// members are the names that berth, or a client, acts on.
var members = []string{
	"schemaVersion", "mediaType", "artifactType", "config", "layers", "blobs", "manifests", "fsLayers", "subject", "annotations",
	"digest", "size", "urls", "data", "platform",
}

// unambiguous refuses a document that readers of JSON would read differently:
// one that has a member twice, or spells a known one in another case
// (encoding/json takes "Layers" and "layerſ" for layers, others do not). What
// one of them checks would not be what another pulls (CVE-2021-41190).
func unambiguous(b []byte) error {
	if !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
		return invalid("the document is no object")
	}
	w := &walker{d: json.NewDecoder(bytes.NewReader(b))}
	w.d.UseNumber()
	if err := w.value(false, 0); err != nil {
		return err
	}
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return invalid("the document goes on after its end")
	}
	return nil
}

// walker goes through a document token by token, so that it holds no more of
// it than the names of the objects it is in.
type walker struct{ d *json.Decoder }

// value reads one value; free means that its members are names of the user's.
func (w *walker) value(free bool, depth int) error {
	t, err := w.d.Token()
	if err != nil {
		return invalid("the document is not JSON of a manifest")
	}
	delim, ok := t.(json.Delim)
	switch {
	case !ok:
		return nil
	case depth == maxDepth:
		return invalid("the document is too deep")
	case delim == '{':
		err = w.object(free, depth)
	default:
		for w.d.More() {
			if err := w.value(free, depth+1); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return err
	}
	if _, err := w.d.Token(); err != nil {
		return invalid("the document is not JSON of a manifest")
	}
	return nil
}

func (w *walker) object(free bool, depth int) error {
	var seen []string // objects are small; large ones become a map
	var many map[string]bool
	for n := 0; w.d.More(); n++ {
		t, err := w.d.Token()
		name, ok := t.(string)
		switch {
		case err != nil || !ok:
			return invalid("the document is not JSON of a manifest")
		case n == maxMembers:
			return invalid(fmt.Sprintf("an object has more than %d members", maxMembers))
		case many[name] || many == nil && slices.Contains(seen, name):
			return invalid("the document says the same thing twice")
		case !free && misspelt(name):
			return invalid("the document spells a member in another case")
		}
		if seen = append(seen, name); many != nil {
			many[name] = true
		} else if len(seen) == 32 {
			many = map[string]bool{}
			for _, s := range seen {
				many[s] = true
			}
		}
		if err := w.value(free || name == "annotations", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// misspelt reports whether encoding/json would take name for a known member
// that others would not.
func misspelt(name string) bool {
	for _, known := range members {
		if name != known && strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// descriptors is a list that stops being read when it is too long. It tells
// whether it was there at all, if only as null.
type descriptors struct {
	there bool
	items []Descriptor // not nil for a list of none
}

func (l *descriptors) UnmarshalJSON(b []byte) error {
	l.there = true
	if string(b) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("not a list")
	}
	l.items = []Descriptor{}
	for d.More() {
		if len(l.items) == maxDescriptors {
			return invalid(fmt.Sprintf("more than %d descriptors in a list", maxDescriptors))
		}
		var one Descriptor
		if err := d.Decode(&one); err != nil {
			return err
		}
		l.items = append(l.items, one)
	}
	return nil
}
