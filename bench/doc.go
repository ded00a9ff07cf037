// Bench measures registries side by side on one machine and says whether berth reaches its targets.
//
//	go run . [-servers floor,distribution,berth,berth-quiet] [-rows REGEXP] [-rounds N] [-json FILE] [-markdown FILE]
//	go run . -short                        every answer right? small counts, fails on nothing that depends on time
//	go run . -growth 100,10000,1000000     the same operations on a server that fills up
//	go run . -profile DIR                  where berth's time goes, by perf (Debian: linux-perf)
//
//	             +-- floor         ./floor: the least that net/http can do
//	rows  -----> +-- distribution  v3.1.2 from the Go module proxy, without authentication and access log
//	(load)       +-- berth         from ../cmd/berth, with its defaults: tokens, durable, access log
//	             +-- berth-quiet   the same with log.level error
//	                  |
//	                  +--> CPU clock and RssAnon of each process --> ratios --> targets
//
// Each server has an empty directory, a port of 127.0.0.1 and the same requests: 8 connections, HTTP/1.1 without TLS.
// All servers are up at the same time, and in each round of a row they take turns: what they are compared by was
// measured within seconds. A turn is a fixed number of operations, or as many as a server does within -limit. Its CPU
// is that of all threads from the first operation until the server is idle again: what is done behind the answers
// counts. Every answer is checked; a wrong one ends the run.
//
// bench imports nothing of berth: it knows what a client knows. It needs Linux (/proc), Go and room for some GiB in the
// directory for temporary files, which must be on a disk: tmpfs makes durable writes free.
package main
