package api

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth/account"
)

// prefix is where the API lives.
const prefix = "/api/v1"

// endpoint serves a request of who may call it.
type endpoint func(a *API, w http.ResponseWriter, r *http.Request, c caller) error

// route is an endpoint: the only place that says who may call it, what it
// takes and what it answers.
type route struct {
	method, path string // below prefix; {x} is one part
	who          who
	name         string // operationId of the document
	summary      string
	query        []parameter
	takes        any   // a value of the body's type; nil: no body
	status       int   // of the answer
	gives        any   // a value of the answer's type; nil: no body
	csv          bool  // the answer is a table of text
	fails        []int // beside those that follow from the above
	serve        endpoint
}

// parameter is one of the query.
type parameter struct {
	name, text string
	required   bool
	many       bool
}

var page = []parameter{
	{name: "n", text: "entries of a page: 1 to 1000, 100 if absent"},
	{name: "last", text: "go on after this entry; Link has the URL of the next page"},
}

// routes is the API.
var routes = []route{
	{method: "GET", path: "/openapi.json", who: anybody, name: "document", summary: "This document", status: 200, gives: map[string]any(nil), serve: (*API).getDocument},

	{method: "GET", path: "/me", who: known, name: "me", summary: "Who calls", status: 200, gives: Me{}, serve: (*API).getMe},
	{method: "PUT", path: "/me/password", who: person, name: "setOwnPassword", summary: "Change the caller's password, by the old one", takes: Password{}, status: 204, fails: []int{404, 409}, serve: (*API).setOwnPassword},
	{method: "POST", path: "/session", who: known, name: "startSession", summary: "An API token for a few minutes, for a password or a personal token", status: 200, gives: Session{}, fails: []int{403, 404}, serve: (*API).startSession},

	{method: "GET", path: "/users", name: "listUsers", summary: "All users", query: page, status: 200, gives: []User{}, serve: (*API).listUsers},
	{method: "POST", path: "/users", name: "addUser", summary: "Add a user", takes: NewUser{}, status: 201, gives: User{}, fails: []int{409}, serve: (*API).addUser},
	{method: "GET", path: "/users/{name}", name: "getUser", summary: "A user", status: 200, gives: User{}, fails: []int{404}, serve: (*API).getUser},
	{method: "DELETE", path: "/users/{name}", name: "removeUser", summary: "Remove a user with all personal tokens", status: 204, fails: []int{404, 409}, serve: (*API).removeUser},
	{method: "PUT", path: "/users/{name}/password", name: "setPassword", summary: "Change a user's password", takes: Password{}, status: 204, fails: []int{404, 409}, serve: (*API).setPassword},
	{method: "PUT", path: "/users/{name}/groups", name: "setGroups", summary: "Replace the groups of a user", takes: Groups{}, status: 204, fails: []int{404, 409}, serve: (*API).setGroups},
	{method: "POST", path: "/htpasswd", name: "importUsers", summary: "Add the users of an htpasswd file whose hashes are bcrypt's", takes: Htpasswd{}, status: 200, gives: account.Imported{}, serve: (*API).importUsers},

	{method: "GET", path: "/robots", name: "listRobots", summary: "All robots", query: page, status: 200, gives: []Robot{}, serve: (*API).listRobots},
	{method: "POST", path: "/robots", name: "addRobot", summary: "Add a robot; its secret is shown this once", takes: NewRobot{}, status: 201, gives: MadeRobot{}, fails: []int{409}, serve: (*API).addRobot},
	{method: "GET", path: "/robots/{name}", name: "getRobot", summary: "A robot", status: 200, gives: Robot{}, fails: []int{404}, serve: (*API).getRobot},
	{method: "PATCH", path: "/robots/{name}", name: "disableRobot", summary: "Disable or enable a robot, at once", takes: RobotChange{}, status: 200, gives: Robot{}, fails: []int{404}, serve: (*API).disableRobot},
	{method: "POST", path: "/robots/{name}/secret", name: "renewRobot", summary: "Another secret for a robot; it is shown this once", status: 200, gives: MadeRobot{}, fails: []int{404}, serve: (*API).renewRobot},
	{method: "DELETE", path: "/robots/{name}", name: "removeRobot", summary: "Remove a robot", status: 204, fails: []int{404}, serve: (*API).removeRobot},

	{method: "GET", path: "/tokens", who: person, name: "listTokens", summary: "Personal tokens: the caller's own, for administrators those of everybody", query: append([]parameter{
		{name: "owner", text: "of this user only; who is no administrator sees no others"},
	}, page...), status: 200, gives: []Token{}, serve: (*API).listTokens},
	{method: "POST", path: "/tokens", who: person, name: "addToken", summary: "Make a personal token, by the password; it is shown this once", takes: NewToken{}, status: 201, gives: MadeToken{}, fails: []int{404, 409}, serve: (*API).addToken},
	{method: "DELETE", path: "/tokens/{id}", who: person, name: "revokeToken", summary: "Revoke a personal token, at once", status: 204, fails: []int{404}, serve: (*API).revokeToken},

	{method: "GET", path: "/limits/me", who: everybody, name: "getOwnLimit", summary: "What the caller has left of the pull limit", status: 200, gives: PullLimit{}, serve: (*API).getOwnLimit},
	{method: "GET", path: "/limits", name: "listLimits", summary: "Who has used most of the pull limit, most first", query: page[:1], status: 200, gives: []PullLimit{}, serve: (*API).listLimits},
	{method: "GET", path: "/limits/set", name: "listSetLimits", summary: "Pull limits that were set while serving", status: 200, gives: []SetLimit{}, serve: (*API).listSetLimits},
	{method: "GET", path: "/limits/{key}", name: "getLimit", summary: "What a user, a robot or an address has left of the pull limit", status: 200, gives: PullLimit{}, fails: []int{400}, serve: (*API).getLimit},
	{method: "PUT", path: "/limits/{key}", name: "setLimit", summary: "Set a pull limit, above what the configuration says", takes: NewLimit{}, status: 204, serve: (*API).setLimit},
	{method: "DELETE", path: "/limits/{key}", name: "unsetLimit", summary: "Remove a pull limit that was set", status: 204, fails: []int{400, 404}, serve: (*API).unsetLimit},
	{method: "POST", path: "/limits/{key}/reset", name: "resetLimit", summary: "Forget what a key has used", status: 204, fails: []int{400}, serve: (*API).resetLimit},
	{method: "GET", path: "/usage", name: "getUsage", summary: "Who has pulled what, by the hour", query: period, status: 200, gives: []UsageRow{}, serve: (*API).getUsage},
	{method: "GET", path: "/usage.csv", name: "getUsageCSV", summary: "The same as a table with Docker Hub's column names", query: period, status: 200, csv: true, serve: (*API).getUsageCSV},

	{method: "GET", path: "/explain", name: "explain", summary: "Whether somebody may do something, and by which grant", query: []parameter{
		{name: "user", text: "name of a user; neither user nor robot nor group: nobody who is known"},
		{name: "robot", text: "name of a robot"},
		{name: "group", text: "as if the user were in this group too; without a user, whoever is in it", many: true},
		{name: "client", text: "address that asks"},
		{name: "action", text: "pull, push, delete, or several with commas between them", required: true},
		{name: "repository", text: "canonical name of the repository", required: true},
	}, status: 200, gives: Explanation{}, fails: []int{404}, serve: (*API).explain},

	{method: "GET", path: "/audit", name: "listAudit", summary: "The newest entries of the audit trail that this process remembers, the newest first", query: []parameter{
		{name: "principal", text: "who did it, or whose account was tried: user:alice, robot:ci, or the name alone"},
		{name: "action", text: "login, token, pull, push, delete, list, ping or admin; pull, list and ping are seen where they are refused"},
		{name: "outcome", text: "ok, denied, delayed or failed"},
		{name: "repository", text: "name or pattern, such as team/**"},
		{name: "since", text: "time as of RFC 3339"},
		{name: "n", text: "entries: 1 to 10000, 100 if absent"},
	}, status: 200, gives: []Entry{}, serve: (*API).listAudit},
}

// router mounts the routes behind a way to tell who calls.
func (a *API) router(authenticate func(*http.Request) (caller, error)) http.Handler {
	r := chi.NewRouter()
	for _, rt := range routes {
		r.Method(rt.method, prefix+rt.path, a.do(rt, authenticate))
	}
	nothing := func(err error) http.HandlerFunc {
		serve := func(*API, http.ResponseWriter, *http.Request, caller) error { return err }
		return a.do(route{who: anybody, serve: serve}, authenticate)
	}
	r.NotFound(nothing(errNoEndpoint))
	refuse := nothing(errNoMethod)
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Allow", allowed(r, req.URL.Path))
		refuse(w, req)
	})
	return r
}

// allowed lists the methods that a path has.
func allowed(r *chi.Mux, path string) string {
	var methods []string
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if r.Match(chi.NewRouteContext(), m, path) {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}
