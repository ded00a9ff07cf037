// Floor is the least that a registry on net/http can do, and so the floor under what one can cost: it knows no users,
// checks nothing, makes nothing durable, keeps manifests and names in memory and blobs in files, and serves those by
// http.ServeContent. What it does compute is SHA-256 of what is pushed: without it nothing can be called a registry of
// content by digest. It is for comparing with, not for use.
//
//	floor -addr 127.0.0.1:5000 -root DIR
package main
