// Package differential sends the same requests to berth and to Docker's registry (distribution, the reference every
// client was written against) and accounts for each difference between the answers.
//
//	fixed cases, generated sequences
//	        | step, symbolic: "PATCH the session that step 3 opened"
//	        v
//	 +-------------+----------------+
//	 |             |                |
//	berth's server |   registry/handlers.NewApp      both in this process, on loopback,
//	bolt + files   |   filesystem driver             each on a directory of its own
//	 |             |                |
//	 +---- answer -+--- answer -----+
//	        | normalised: what the specification leaves open is taken out (answer_test.go)
//	        v
//	differences ----> each matched by exactly one entry of the table (table_*_test.go), with the sentence that
//	                  justifies berth; then the two registries are made equal again, so that the next difference
//	                  is a new one. An unlisted difference fails, with the shortest sequence that shows it.
//
// The table is written to docs/differences.md, and an entry that no fixed case needs any more fails the test, so
// neither can rot.
//
// It is a module of its own because it imports distribution's engine, whose dependencies are none of berth's.
//
// It does not cover what a registry without accounts and limits cannot answer (401, 403, 413 for blobs, 429, 5xx), nor
// what distribution has not got (the contents of referrers): those are tested in package server.
//
//	go test .                           the fixed cases and 300 sequences of 40 requests
//	go test . -sequences 5000 -seed 0  more, with a seed of the moment, which is printed
//	go test . -update                   write docs/differences.md
//	go test . -sources dir              hold the table's quotations against the documents (quote_test.go)
package differential
