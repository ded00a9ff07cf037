// Package http1 is the client side of HTTP/1.1 as a load generator needs it: one connection, one request at a time,
// no allocation per request, and no more of the protocol than registries use.
//
//	Request --> [ head | body parts ] --write(v)--> server
//	Response <-- status, five headers, body <-- read --
//
// It owns the framing of messages. It never dials again, follows no redirect and decides nothing: what looks wrong is
// an error, and whoever measures has to fail on it.
package http1
