// Package report holds what was measured and prints it: two tables for people (text or Markdown), all of it as JSON.
//
//	Figures (a server, a row, a round) --median of rounds--> cells, ratios --Goal--> reached or not
//
// Ratios are taken within a round, where the servers ran next to each other, and only then is their median taken:
// what the machine does from minute to minute falls out of them.
package report
