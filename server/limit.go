package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/ratelimit"
)

// Limiter bounds pulls. A decision whose limit is unlimited bounds nothing. An
// error means that nothing could be decided, and that pulls are to be refused.
type Limiter interface {
	// Take counts a pull if there is one left.
	Take(ctx context.Context, who auth.Principal, repo string, now time.Time) (ratelimit.Decision, error)
	// Look tells what Take would find.
	Look(ctx context.Context, who auth.Principal, repo string, now time.Time) (ratelimit.Decision, error)
	// GiveBack takes a pull away again that Take counted.
	GiveBack(ctx context.Context, who auth.Principal, d ratelimit.Decision) error
	// EveryManifest reports whether indexes, and what describes other
	// manifests, count too.
	EveryManifest() bool
}

// Usage is told what was served, for reports.
type Usage interface {
	// Pulled is told of a pull.
	Pulled(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, now time.Time)
	// Checked is told of a request that only asked whether there is something new.
	Checked(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, now time.Time)
}

// Flood bounds requests of any kind by address.
type Flood interface {
	// Allow counts a request, and says when the next one is allowed if it is not.
	Allow(client netip.Addr, now time.Time) (allowed bool, wait time.Duration)
}

// longestRetry is the longest wait that a client is told in Retry-After. podman
// sleeps through what it is told, several times, and regclient through all of
// it: their users had better read why at once.
const longestRetry = time.Minute

// limitError refuses a request because there were too many before it.
type limitError struct {
	told *oci.Error
	wait time.Duration
}

func (e *limitError) Error() string { return e.told.Message }
func (e *limitError) Unwrap() error { return e.told }

// counts reports whether what was asked for is a pull.
func (s *Server) counts(p metadata.Pull) bool {
	switch p {
	case metadata.CountedManifest:
		return true
	case metadata.FreeManifest:
		return s.limits != nil && s.limits.EveryManifest()
	}
	return false
}

// pull counts a pull, and has the answer say what is left. A *limitError if
// nothing was left: it is not counted then. What is counted and cannot be
// served is to be given back.
func (s *Server) pull(w http.ResponseWriter, r *http.Request, c call) (ratelimit.Decision, error) {
	if s.limits == nil {
		return ratelimit.Decision{Allowed: true}, nil
	}
	start := s.now()
	d, err := s.limits.Take(r.Context(), c.who, c.Repo, start)
	s.metrics.decided(c.who.Kind, d.Allowed && err == nil, s.now().Sub(start))
	if err != nil {
		return d, fmt.Errorf("%w: pull limit: %w", oci.ErrUnavailable, err)
	}
	setLimits(w.Header(), d, c.who)
	if !d.Allowed {
		return d, s.exhausted(r, c, d)
	}
	return d, nil
}

// giveBack takes a pull away again of which nothing was served. Whoever asked
// may be gone.
func (s *Server) giveBack(r *http.Request, c call, d ratelimit.Decision) {
	if s.limits == nil {
		return
	}
	if err := s.limits.GiveBack(context.WithoutCancel(r.Context()), c.who, d); err != nil {
		s.log.Warn("a pull that failed was not given back", "principal", c.who.ID(), "error", err)
	}
}

// look has the answer say what is left. That this cannot be told is no reason
// to refuse what is free.
func (s *Server) look(w http.ResponseWriter, r *http.Request, c call) {
	if s.limits == nil {
		return
	}
	d, err := s.limits.Look(r.Context(), c.who, c.Repo, s.now())
	if err == nil {
		setLimits(w.Header(), d, c.who)
	}
}

func (s *Server) pulled(c call, d oci.Digest) {
	if s.usage != nil {
		s.usage.Pulled(c.who, c.Repo, c.Reference, d, s.now())
	}
}

func (s *Server) checked(c call, d oci.Digest) {
	if s.usage != nil {
		s.usage.Checked(c.who, c.Repo, c.Reference, d, s.now())
	}
}

// exhausted is the 429 of a pull.
func (s *Server) exhausted(r *http.Request, c call, d ratelimit.Decision) error {
	e := *oci.ErrTooManyRequests
	next := ". The next pull is possible in " + ratelimit.Text(d.Reset) + "."
	if c.who.Kind == auth.Anonymous {
		e.Message = "You have reached the pull rate limit of " + d.Limit.String() + " for anonymous pulls from " + source(c.who) + next +
			" Log in to have a limit of your own: docker login " + s.hostOf(r)
	} else {
		e.Message = "You have reached your pull rate limit of " + d.Limit.String() + " as '" + source(c.who) + "'" + next
	}
	return &limitError{told: &e, wait: d.Reset}
}

// hostOf is this registry's host as the client knows it.
func (s *Server) hostOf(r *http.Request) string {
	if s.host != "" {
		return s.host
	}
	return r.Host
}

// flooded refuses a request of an address that has sent too many.
func (s *Server) flooded(w http.ResponseWriter, r *http.Request, k Kind) error {
	if s.flood == nil || k == Healthz || k == Readyz { // whose failure would restart us
		return nil
	}
	allowed, wait := s.flood.Allow(s.proxies.Client(r), s.now())
	if allowed {
		return nil
	}
	s.metrics.flooded.Inc()
	if k == kindNone {
		w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	}
	e := *oci.ErrTooManyRequests
	e.Message = http.StatusText(http.StatusTooManyRequests)
	return &limitError{told: &e, wait: min(wait, longestRetry)}
}

// headPreview answers the probe that Docker documents for its Hub: what is left
// of the limit, to whoever asks.
func (s *Server) headPreview(w http.ResponseWriter, r *http.Request, c call) error {
	s.look(w, r, c)
	w.Header()["Content-Type"] = []string{oci.MediaTypeImageManifest}
	w.WriteHeader(http.StatusOK)
	return nil
}

// setLimits says what is left: three headers as Docker Hub has them, two as the
// IETF's draft has them (draft-ietf-httpapi-ratelimit-headers-10). Without a
// limit there are none.
func setLimits(h http.Header, d ratelimit.Decision, who auth.Principal) {
	if d.Limit.Unlimited() {
		return
	}
	var buf [256]byte
	var ends [5]int
	window, name := int64(d.Limit.Window/time.Second), source(who)
	b := appendPair(buf[:0], d.Limit.Pulls, ";w=", window)
	ends[0] = len(b)
	b = appendPair(b, d.Remaining, ";w=", window)
	ends[1] = len(b)
	b = append(b, name...)
	ends[2] = len(b)
	b = appendPair(append(b, `"pulls";q=`...), d.Limit.Pulls, ";w=", window)
	ends[3] = len(b)
	b = appendPair(append(b, `"pulls";r=`...), d.Remaining, ";t=", seconds(d.Reset))
	ends[4] = len(b)
	all, values, start := string(b), make([]string, len(ends)), 0
	for i, end := range ends {
		values[i], start = all[start:end], end
		h[limitHeaders[i]] = values[i : i+1 : i+1]
	}
}

// limitHeaders are written as their inventors do.
var limitHeaders = [...]string{"ratelimit-limit", "ratelimit-remaining", "docker-ratelimit-source", "RateLimit-Policy", "RateLimit"}

func appendPair(b []byte, v int64, name string, w int64) []byte {
	return strconv.AppendInt(append(strconv.AppendInt(b, v, 10), name...), w, 10)
}

// seconds rounds up: who comes back then is not too early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// source is whose limit it is: the name that is logged in with, or the address,
// of IPv6 that of the /64.
func source(who auth.Principal) string {
	switch who.Kind {
	case auth.Anonymous:
		return ratelimit.At(who.Client).Name()
	case auth.Robot:
		return auth.RobotPrefix + who.Name
	case auth.Outside:
		return headerText(who.Name)
	}
	return who.Name
}

// headerText makes text fit for a header: an outside issuer may have put
// anything into it.
func headerText(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
