// Package api is the administration interface, /api/v1: JSON over HTTP for
// everything that the commands do, and the client that the commands use.
//
//	berth user add ──▶ api.Client ══unix socket══▶ API.Socket ───┐   everybody is an administrator
//	                              ══http, https══▶ API.Network ──┤   who? may they? ──▶ 401, 403
//	                                                             ▼
//	                           routes ──▶ endpoint ──▶ accounts, robots, personal tokens, grants
//	                              └─────▶ openapi.json
//
// One table (route.go) drives the router, the gate and the OpenAPI document, so
// that no endpoint exists without saying who may call it and what it answers.
//
// The socket lies in a directory of mode 0700: whoever may open it is an
// administrator. Over the network the Authorization header counts and nothing
// else, in particular no cookie: a name and a password or personal token as
// Basic, a personal token or an API token (POST /api/v1/session) as Bearer. A
// token of the registry opens nothing here, and none of here opens the
// registry: their audiences differ. Bodies are application/json, which no page
// of another site can send without being asked about it.
package api
