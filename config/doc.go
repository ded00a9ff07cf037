// Package config owns the settings of berth: their schema, their defaults, how a file and the environment are read
// into them, and which values make sense.
//
//	Default() -> strict YAML -> BERTH_* variables -> Validate -> Config
//	                 \______________\_______________\-> Problems: all of them, each with its place
//
// A Config that Load returned is valid; nobody needs to check it again. Problems name the line and column of the key
// in the file, or the variable, that brought the value in.
//
// The package never opens a file but the one it is asked to load: it does not look whether certificates, keys or
// directories exist, resolves no name, connects to nothing, starts nothing, logs nothing, and never prints a secret.
// Of berth it knows names and bounds, nothing that acts: repository patterns and the forms of `who` are checked for their grammar
// here and understood in auth.
//
// The schema is complete from the first version on. What is not built yet is off in Default, and switching it on is a
// problem ("is not built yet", see unbuilt.go).
package config
