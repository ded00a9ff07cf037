package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// document writes the routes down as OpenAPI 3.1. The schemas are those of the
// Go types, so that nothing is said twice.
func document(version string) []byte {
	s := schemas{}
	paths := map[string]object{}
	for _, rt := range routes {
		path := prefix + rt.path
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(rt.method)] = rt.operation(s)
	}
	body, err := json.MarshalIndent(object{
		"openapi": "3.1.1",
		"info": object{
			"title": "berth", "version": version, "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "Administration of a berth registry. Listings are pages: the header Link has the URL of the next one.",
		},
		"paths": paths,
		"components": object{
			"schemas": s,
			"securitySchemes": object{
				"basic":  object{"type": "http", "scheme": "basic", "description": "A user name with the password or a personal token."},
				"bearer": object{"type": "http", "scheme": "bearer", "description": "A personal token, or an API token of POST /api/v1/session."},
			},
		},
	}, "", "  ")
	if err != nil {
		return nil // maps, slices and strings have no error
	}
	return append(body, '\n')
}

func (rt route) operation(s schemas) object {
	op := object{"operationId": rt.name, "summary": rt.summary, "responses": rt.responses(s), "security": []object{}}
	if rt.who != anybody {
		op["security"] = []object{{"basic": []string{}}, {"bearer": []string{}}}
		op["description"] = [...]string{
			administrator: "For administrators.", person: "For users.", known: "For whoever can show who it is.", everybody: "For everybody.",
		}[rt.who]
	}
	if rt.who == everybody {
		op["security"] = []object{{"basic": []string{}}, {"bearer": []string{}}, {}}
	}
	if parameters := rt.parameters(); parameters != nil {
		op["parameters"] = parameters
	}
	if rt.takes != nil {
		op["requestBody"] = object{"required": true, "content": s.content(rt.takes)}
	}
	return op
}

func (rt route) parameters() (list []object) {
	for _, part := range strings.Split(rt.path, "/") {
		if name, is := strings.CutPrefix(part, "{"); is {
			list = append(list, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, q := range rt.query {
		schema := object{"type": "string"}
		if q.name == "n" {
			schema = object{"type": "integer", "minimum": 1}
		}
		if q.many {
			schema = object{"type": "array", "items": schema}
		}
		list = append(list, object{"name": q.name, "in": "query", "required": q.required, "description": q.text, "schema": schema})
	}
	return list
}

// statuses lists every status of a route.
func (rt route) statuses() []int {
	list := append([]int{rt.status}, rt.fails...)
	if rt.who != anybody {
		list = append(list, 401, 403, 429, 500, 503, 507)
	}
	if rt.takes != nil {
		list = append(list, 400, 415)
	}
	if rt.query != nil {
		list = append(list, 400)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

var texts = map[int]string{
	200: "Done.", 201: "Made.", 204: "Done.",
	400: "The request is not what the endpoint takes.", 401: "The caller has not shown who it is.", 403: "The caller may not.",
	404: "What the request is about is not there.", 409: "What is there stands in the way.", 415: "The body is not application/json.",
	429: "Too many logins, or too many wrong ones: Retry-After has the seconds.", 500: "The server failed; its log says why.",
	503: "The registry takes no changes at the moment, or a provider of identities does not answer.", 507: "The registry has no space left.",
}

func (rt route) responses(s schemas) object {
	responses := object{}
	for _, status := range rt.statuses() {
		response := object{"description": texts[status]}
		switch {
		case status >= 400:
			response["content"] = s.content(Problem{})
		case rt.csv:
			response["content"] = object{"text/csv": object{"schema": object{"type": "string"}}}
		case rt.gives != nil:
			response["content"] = s.content(rt.gives)
		}
		responses[strconv.Itoa(status)] = response
	}
	return responses
}

// schemas are the named types, by name.
type schemas map[string]any

func (s schemas) content(v any) object {
	return object{"application/json": object{"schema": s.of(reflect.TypeOf(v))}}
}

// of returns the schema of a type, and adds those of the structs in it.
func (s schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{"type": "string"}
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return object{"type": "integer"}
	case t.Kind() == reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case t.Kind() == reflect.Map:
		return object{"type": "object"}
	case t.Kind() == reflect.Struct:
		s.add(t)
		return object{"$ref": "#/components/schemas/" + t.Name()}
	}
	return object{"type": "string"}
}

func (s schemas) add(t reflect.Type) {
	if s[t.Name()] != nil {
		return
	}
	properties, required := object{}, []string{}
	s[t.Name()] = object{"type": "object", "properties": properties, "additionalProperties": false}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		properties[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		s[t.Name()].(object)["required"] = required
	}
}
