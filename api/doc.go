// Package api is the administration interface, /api/v1: JSON over HTTP for
// everything that the commands do, and the client that the commands use.
//
//	berth user add ──▶ api.Client ══unix socket══▶ api.Handler ──▶ Accounts
//
// In this version it is served on the admin socket only, which lies in a
// directory of mode 0700: whoever may open it is an administrator.
package api
