// Package berth runs the berth binary for tests that do to it what happens to
// servers: it is killed and traced, its disk fills up or goes away.
//
//	server.go   the process: configuration, start, stop, kill, log
//	client.go   requests with a token
//
// A failed step fails the test. Nothing of the product is imported.
package berth
