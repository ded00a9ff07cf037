package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
)

// How many entries one Find returns.
const (
	DefaultLimit = 100
	MaxLimit     = 10_000
)

// Filter says which entries are wanted. The zero Filter wants all.
type Filter struct {
	Principal  string // ID, or the name alone; also whose account was tried
	Action     Action
	Outcome    Outcome
	Repository *auth.Pattern // nil: any, and none
	Since      time.Time     // entries of this time and after it
}

// ParseAction returns the action of a name.
func ParseAction(s string) (Action, error) {
	if a := Action(s); slices.Contains(actions[:], a) {
		return a, nil
	}
	return "", fmt.Errorf("there is no action %q", printable(s, 64))
}

// ParseOutcome returns the outcome of a name.
func ParseOutcome(s string) (Outcome, error) {
	if o := Outcome(s); slices.Contains(outcomes[:], o) {
		return o, nil
	}
	return "", fmt.Errorf("there is no outcome %q", printable(s, 64))
}

// Match reports whether an entry is wanted.
func (f *Filter) Match(e *Entry) bool {
	return (f.Principal == "" || f.about(e)) &&
		(f.Action == "" || e.Action == f.Action) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) &&
		(f.Repository == nil || e.Repository != "" && f.Repository.Match(e.Repository, "")) &&
		!e.Time.Before(f.Since)
}

// about reports whether the entry is about the principal.
func (f *Filter) about(e *Entry) bool {
	return names(e.Principal, f.Principal) || names(e.Account, f.Principal)
}

// names reports whether an ID is the one that is meant, by its whole or by what
// follows its kind.
func names(id, meant string) bool {
	_, name, _ := strings.Cut(id, ":")
	return id == meant || name == meant
}
