// Package server builds and starts the registries under measurement, each with an empty directory of its own and a
// free port on 127.0.0.1, and knows how to be let in.
//
//	Workshop --build--> Program --Start--> Server --Admin, Visitor--> Account --Token--> Authorization header
//
// It never measures.
package server
