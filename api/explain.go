package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/oci"
)

// Explanation is what the grants in force say.
type Explanation struct {
	Principal  string   `json:"principal"`
	Groups     []string `json:"groups,omitempty"`
	Client     string   `json:"client,omitempty"`
	Repository string   `json:"repository"`
	Actions    []string `json:"actions"`
	Allowed    bool     `json:"allowed"`
	Missing    []string `json:"missing,omitempty"` // of the actions
	Because    string   `json:"because"`
}

func (a *API) explain(w http.ResponseWriter, r *http.Request, _ caller) error {
	query := r.URL.Query()
	who, err := a.subject(r.Context(), query)
	if err != nil {
		return err
	}
	actions, err := auth.ParseActions(strings.Split(query.Get("action"), ","))
	if err != nil {
		return fmt.Errorf("%w: %w", errQuery, err)
	}
	repository := query.Get("repository")
	if _, err := oci.ParseRepository(repository); err != nil {
		return fmt.Errorf("%w: %q is no name of a repository", errQuery, repository)
	}
	decision := a.Policy.Load().Decide(who, repository, actions)
	e := Explanation{
		Principal: who.ID(), Groups: who.Groups, Repository: repository, Actions: actions.Names(),
		Allowed: decision.Allowed, Because: decision.Because,
	}
	if decision.Missing != 0 {
		e.Missing = decision.Missing.Names()
	}
	if who.Client.IsValid() {
		e.Client = who.Client.String()
	}
	return reply(w, http.StatusOK, e)
}

// subject is who an explanation is about.
func (a *API) subject(ctx context.Context, query url.Values) (p auth.Principal, err error) {
	user, robot, groups := query.Get("user"), query.Get("robot"), query["group"]
	switch {
	case robot != "" && (user != "" || groups != nil):
		return p, fmt.Errorf("%w: a robot is neither a user nor in a group", errQuery)
	case robot != "":
		p, err = a.Robots.Principal(ctx, robot)
	case user != "":
		p, err = a.Accounts.Owner(ctx, user)
	case groups != nil:
		p.Kind = auth.User // of no name: whoever is in these groups
	}
	if errors.Is(err, auth.ErrBadCredentials) {
		err = account.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p.Groups = slices.Concat(p.Groups, groups)
	if client := query.Get("client"); client != "" {
		if p.Client, err = netip.ParseAddr(client); err != nil {
			return p, fmt.Errorf("%w: %q is no address", errQuery, client)
		}
		p.Client = p.Client.Unmap().WithZone("")
	}
	return p, nil
}
