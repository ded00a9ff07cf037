package server

import (
	"context"
	"net/http"
	"time"
)

// healthz says that the process serves requests.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) (call, error) {
	return call{}, writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// checkTimeout bounds a readiness probe.
const checkTimeout = 5 * time.Second

// readyz says whether the parts behind work, by name. What exactly is wrong
// stands in the log, not in an answer that needs no login.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) (call, error) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	status, parts := http.StatusOK, map[string]string{}
	for _, c := range s.checks {
		parts[c.Name] = "ok"
		if err := c.Check(ctx); err != nil {
			s.log.Error("not ready", "part", c.Name, "error", err)
			parts[c.Name] = "failed"
			status = http.StatusServiceUnavailable
		}
	}
	return call{}, writeJSON(w, status, parts)
}
