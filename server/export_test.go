package server

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Mounted lists everything that the server has a handler for, "METHOD pattern".
func (s *Server) Mounted() (all []string, err error) {
	err = chi.Walk(s.router.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, method+" "+pattern)
		return nil
	})
	return all, err
}

// MountOf returns what of Mounted serves a request; "" if nothing does.
func (s *Server) MountOf(method, path string) string {
	pattern := s.router.(chi.Routes).Find(chi.NewRouteContext(), method, path)
	if pattern == "" {
		return ""
	}
	return method + " " + pattern
}

// RouteNames lists the routes of the distribution API, "METHOD kind", so that
// a table written elsewhere can be held against them.
func RouteNames() []string {
	var names []string
	for _, r := range routes {
		names = append(names, r.method+" "+r.name)
	}
	return names
}
