// Package server is the HTTP edge: it turns requests into calls of the
// registry and results into responses, and nothing else.
//
//	*http.Request
//	  ─▶ Parse            Request{Kind, Repo, Reference, ...}      400 404 405 end here
//	  ─▶ Authenticate     auth.Principal                           401 and one challenge
//	  ─▶ resolve          the canonical repository, once           404
//	  ─▶ allow            for exactly that repository              401 insufficient_scope, 403
//	  ─▶ handler          one per Kind, in a file per noun
//	  ─▶ error            values until writeError, in error.go, makes them HTTP
//
// Every route goes this way: the table in route.go drives the parser, the
// gate and the dispatch, so that a request kind cannot exist without saying
// which right it needs.
//
// /api goes to a handler that cmd/berth hands in; here its requests are only
// counted.
//
// The package owns the interfaces through which it sees the registry and
// auth. It knows no database, no storage backend and no JWT library.
package server
