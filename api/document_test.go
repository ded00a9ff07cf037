package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// openapi is as much of the document as the tests read.
type openapi struct {
	Openapi    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]schema
		SecuritySchemes map[string]any
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody *struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema schema }
	}
	Security []map[string][]string
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type, Format         string
	Items                *schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties *bool
}

// find returns the operation of a request; nil if no path is its.
func (d openapi) find(method, path string) *operation {
	path, _, _ = strings.Cut(path, "?")
	if op, has := d.Paths[path][strings.ToLower(method)]; has { // before what has a parameter there
		return &op
	}
	parts := strings.Split(path, "/")
	for pattern, methods := range d.Paths {
		want := strings.Split(pattern, "/")
		fits := func(i int) bool { return want[i] == parts[i] || strings.HasPrefix(want[i], "{") && parts[i] != "" }
		matches := len(want) == len(parts)
		for i := 0; matches && i < len(want); i++ {
			matches = fits(i)
		}
		if op, has := methods[strings.ToLower(method)]; matches && has {
			return &op
		}
	}
	return nil
}

// documented holds an answer against the document, and remembers its status.
func (s *stack) documented(do string, rec *httptest.ResponseRecorder) {
	s.Helper()
	method, path, _ := strings.Cut(do, " ")
	op := s.document.find(method, path)
	if op == nil {
		if rec.Code != 404 && rec.Code != 405 {
			s.Errorf("%s: not in the document, and answers %d", do, rec.Code)
		}
		return
	}
	status := fmt.Sprint(rec.Code)
	response, has := op.Responses[status]
	if !has {
		s.Errorf("%s: the document has no %s of %s: %s", do, status, op.OperationID, rec.Body)
		return
	}
	answered.Store(op.OperationID+" "+status, true)
	if _, table := response.Content["text/csv"]; table {
		if got := rec.Header().Get("Content-Type"); got != "text/csv" {
			s.Errorf("%s %s: Content-Type %s", do, status, got)
		}
		return
	}
	content, hasContent := response.Content["application/json"]
	if hasContent != (rec.Body.Len() > 0) {
		s.Errorf("%s %s: the document says content: %v; there are %d bytes", do, status, hasContent, rec.Body.Len())
		return
	}
	if !hasContent {
		return
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		s.Errorf("%s %s: %v", do, status, err)
		return
	}
	if err := s.document.check(content.Schema, v); err != nil {
		s.Errorf("%s %s: %v\n%s", do, status, err, rec.Body)
	}
}

// check holds a JSON value against a schema.
func (d openapi) check(want schema, v any) error {
	if want.Ref != "" {
		target, has := d.Components.Schemas[strings.TrimPrefix(want.Ref, "#/components/schemas/")]
		if !has {
			return fmt.Errorf("%s is nowhere", want.Ref)
		}
		return d.check(target, v)
	}
	switch v := v.(type) {
	case map[string]any:
		return d.checkObject(want, v)
	case []any:
		if want.Type != "array" || want.Items == nil {
			return errors.New("a list is not expected")
		}
		for i, item := range v {
			if err := d.check(*want.Items, item); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	case string:
		if want.Format == "date-time" {
			_, err := time.Parse(time.RFC3339, v)
			return err
		}
		return is("string", want)
	case bool:
		return is("boolean", want)
	case float64:
		return is("integer", want)
	}
	return fmt.Errorf("%v is nothing that a schema can be of", v)
}

func is(kind string, want schema) error {
	if want.Type != kind || want.Format != "" {
		return fmt.Errorf("%s instead of %s %s", kind, want.Type, want.Format)
	}
	return nil
}

func (d openapi) checkObject(want schema, v map[string]any) error {
	if want.Type != "object" {
		return fmt.Errorf("an object instead of %s", want.Type)
	}
	for _, name := range want.Required {
		if _, has := v[name]; !has {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name, value := range v {
		property, has := want.Properties[name]
		if !has {
			if want.AdditionalProperties == nil { // any object, as the document itself
				continue
			}
			return fmt.Errorf("%s is in no schema", name)
		}
		if err := d.check(property, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// TestDocument holds the document against the routers, both ways, and against
// itself.
func TestDocument(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	if s.document.Openapi != "3.1.1" || len(s.document.Components.SecuritySchemes) != 2 {
		t.Errorf("%+v", s.document)
	}
	var documented []string
	for path, methods := range s.document.Paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(documented)
	for name, h := range map[string]http.Handler{"socket": s.handler, "network": s.network} {
		var routed []string
		s.must(chi.Walk(h.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			routed = append(routed, method+" "+route)
			return nil
		}))
		slices.Sort(routed)
		if !slices.Equal(routed, documented) {
			t.Errorf("%s:\n    routed %v\ndocumented %v", name, routed, documented)
		}
	}
	names := map[string]bool{}
	for path, methods := range s.document.Paths {
		for _, op := range methods {
			if op.OperationID == "" || op.Summary == "" || names[op.OperationID] {
				t.Errorf("%s: the name %q or summary is empty or twice", path, op.OperationID)
			}
			names[op.OperationID] = true
			s.checkParameters(path, op)
		}
	}
	for name, schema := range s.document.Components.Schemas {
		if schema.Type != "object" || schema.AdditionalProperties == nil || *schema.AdditionalProperties || len(schema.Properties) == 0 {
			t.Errorf("%s: %+v", name, schema)
		}
		for property, of := range schema.Properties {
			if ref, is := strings.CutPrefix(of.Ref, "#/components/schemas/"); property == "" || is && s.document.Components.Schemas[ref].Type == "" {
				t.Errorf("%s.%s: %+v", name, property, of)
			}
		}
	}
}

// checkParameters expects exactly those of the path among those of the path.
func (s *stack) checkParameters(path string, op operation) {
	s.Helper()
	var in []string
	for _, p := range op.Parameters {
		if p.In == "path" {
			in = append(in, "{"+p.Name+"}")
		}
		if p.In == "path" != p.Required && p.In == "path" || p.Schema.Type == "" {
			s.Errorf("%s: %+v", path, p)
		}
	}
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") != slices.Contains(in, part) {
			s.Errorf("%s: parameters %v", path, in)
		}
	}
}

// failing is an authenticator that knows nobody.
type failing struct{ err error }

func (f failing) Authenticate(*http.Request) (auth.Principal, error) {
	return auth.Principal{}, f.err
}

// known is an authenticator that knows one.
type known struct{ p auth.Principal }

func (k known) Authenticate(*http.Request) (auth.Principal, error) { return k.p, nil }

// TestEveryEndpoint: what is true of all of them: who cannot be told, who is
// not known, a body of another type, the store that is down.
func TestEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for err, want := range map[error]string{
		auth.ErrNoCredentials: "401", auth.ErrBadCredentials: "401", auth.ErrMalformed: "401", auth.ErrInvalidToken: "401",
		auth.ErrTooManyLogins: "429", errors.New("down"): "500", auth.ErrDenied: "403",
		storage.ErrUnavailable: "503", storage.ErrNoSpace: "507",
		fmt.Errorf("%w: directory: DETAIL", oci.ErrUnavailable): "503",
	} {
		s.config.Auth = failing{err}
		s.open()
		s.eachOperation(func(do string, op operation) {
			rec := s.send(s.network, do, "Basic x", "{}")
			unknown := errors.Is(err, auth.ErrNoCredentials) && op.OperationID == "getOwnLimit" // which is for everybody
			if got := fmt.Sprint(rec.Code); got != want && op.OperationID != "document" && !unknown {
				t.Errorf("%s: %s %s, want %s", do, got, rec.Body, want)
			}
			if strings.Contains(rec.Body.String(), "DETAIL") {
				t.Errorf("%s: %s", do, rec.Body)
			}
			if (rec.Code == 429 || rec.Code == 503) != (rec.Header().Get("Retry-After") != "") || strings.Contains(rec.Header().Get("Www-Authenticate"), "Basic") {
				t.Errorf("%s: %v", do, rec.Header())
			}
		})
	}
	s.config.Auth = known{auth.Principal{Kind: auth.User, Name: "admin", Admin: true}}
	s.open()
	s.eachOperation(func(do string, op operation) {
		if op.RequestBody == nil {
			return
		}
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json, text/plain"} {
			method, path, _ := strings.Cut(do, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", kind)
			rec := httptest.NewRecorder()
			s.network.ServeHTTP(rec, r)
			if s.wellFormed(do, rec); rec.Code != 415 {
				t.Errorf("%s as %q: %d %s", do, kind, rec.Code, rec.Body)
			}
		}
	})
}

// eachOperation calls f with a request of every operation.
func (s *stack) eachOperation(f func(do string, op operation)) {
	s.Helper()
	for _, path := range slices.Sorted(maps.Keys(s.document.Paths)) {
		for method, op := range s.document.Paths[path] {
			f(strings.ToUpper(method)+" "+strings.NewReplacer("{name}", "nobody", "{id}", "nothing", "{key}", "user:nobody").Replace(path), op)
		}
	}
}
