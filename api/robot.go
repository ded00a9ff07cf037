package api

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/robot"
)

// Robots is what the API needs of the robots. Errors are those of
// robot.Robots.
type Robots interface {
	Add(ctx context.Context, name string, rules []string, expires, now time.Time) (secret string, err error)
	Renew(ctx context.Context, name string) (secret string, err error)
	SetDisabled(ctx context.Context, name string, disabled bool) error
	Remove(ctx context.Context, name string) error
	Find(ctx context.Context, name string) (robot.Robot, error)
	List(ctx context.Context, after string) iter.Seq2[robot.Robot, error]
	Principal(ctx context.Context, name string) (auth.Principal, error)
}

var _ Robots = (*robot.Robots)(nil)

// Robot is a robot as the API shows it: never its secret.
type Robot = robot.Robot

// NewRobot is the body of POST /api/v1/robots.
type NewRobot struct {
	Name    string    `json:"name"`             // without robot$
	Rules   []string  `json:"rules,omitempty"`  // PATTERN:ACTIONS, beside what grants say of robots
	Expires time.Time `json:"expires,omitzero"` // absent: never
}

// MadeRobot is a robot with its secret, which nobody sees again.
type MadeRobot struct {
	Robot  Robot  `json:"robot"`
	Login  string `json:"login"` // the user name to log in with
	Secret string `json:"secret"`
}

// RobotChange is the body of PATCH /api/v1/robots/{name}.
type RobotChange struct {
	Disabled bool `json:"disabled"`
}

func (a *API) listRobots(w http.ResponseWriter, r *http.Request, _ caller) error {
	after := func(last string) iter.Seq2[Robot, error] { return a.Robots.List(r.Context(), last) }
	return list(w, r, after, func(r Robot) string { return r.Name })
}

func (a *API) addRobot(w http.ResponseWriter, r *http.Request, _ caller) error {
	n, err := read[NewRobot](w, r)
	if err != nil {
		return err
	}
	secret, err := a.Robots.Add(r.Context(), n.Name, n.Rules, n.Expires, a.Now())
	if err != nil {
		return err
	}
	return a.replyMade(w, r, http.StatusCreated, n.Name, secret)
}

func (a *API) renewRobot(w http.ResponseWriter, r *http.Request, _ caller) error {
	name := chi.URLParam(r, "name")
	secret, err := a.Robots.Renew(r.Context(), name)
	if err != nil {
		return err
	}
	return a.replyMade(w, r, http.StatusOK, name, secret)
}

func (a *API) replyMade(w http.ResponseWriter, r *http.Request, status int, name, secret string) error {
	made, err := a.Robots.Find(r.Context(), name)
	if err != nil {
		return err
	}
	return reply(w, status, MadeRobot{made, auth.RobotPrefix + name, secret})
}

func (a *API) getRobot(w http.ResponseWriter, r *http.Request, _ caller) error {
	return a.replyRobot(w, r)
}

func (a *API) replyRobot(w http.ResponseWriter, r *http.Request) error {
	found, err := a.Robots.Find(r.Context(), chi.URLParam(r, "name"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, found)
}

func (a *API) disableRobot(w http.ResponseWriter, r *http.Request, _ caller) error {
	change, err := read[RobotChange](w, r)
	if err != nil {
		return err
	}
	if err := a.Robots.SetDisabled(r.Context(), chi.URLParam(r, "name"), change.Disabled); err != nil {
		return err
	}
	return a.replyRobot(w, r)
}

func (a *API) removeRobot(w http.ResponseWriter, r *http.Request, _ caller) error {
	if err := a.Robots.Remove(r.Context(), chi.URLParam(r, "name")); err != nil {
		return err
	}
	return done(w)
}
