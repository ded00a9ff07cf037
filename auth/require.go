package auth

import (
	"fmt"
	"maps"
	"slices"
)

// Requirement is a claim of a token and what its text must be.
type Requirement struct {
	Claim string
	Glob  Glob
}

// ParseRequirements reads what is required of claims, each by a glob, and
// returns it in the order of the claims' names.
func ParseRequirements(globs map[string]string) ([]Requirement, error) {
	var all []Requirement
	for _, claim := range slices.Sorted(maps.Keys(globs)) {
		g, err := ParseGlob(globs[claim])
		if err != nil {
			return nil, fmt.Errorf("require %s: %w", claim, err)
		}
		all = append(all, Requirement{claim, g})
	}
	return all, nil
}
