package auth

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Actions is a set of actions. One action is a set of one.
type Actions uint8

// Action is an Actions where one is meant. Sets are accepted all the same: a
// push needs Pull|Push.
type Action = Actions

// The actions of a repository. All is written "*".
const (
	Pull Actions = 1 << iota
	Push
	Delete

	All = Pull | Push | Delete
)

// ParseAction reads pull, push, delete or *.
func ParseAction(s string) (Action, error) {
	if a := action(s); a != 0 {
		return a, nil
	}
	return 0, fmt.Errorf("an action is pull, push, delete or *, not %q", s)
}

// ParseActions reads a list of actions, as a grant has it.
func ParseActions(list []string) (Actions, error) {
	var set Actions
	for _, s := range list {
		a, err := ParseAction(s)
		if err != nil {
			return 0, err
		}
		set |= a
	}
	return set, nil
}

// action returns 0 for what is no action.
func action(s string) Actions {
	switch s {
	case "pull":
		return Pull
	case "push":
		return Push
	case "delete":
		return Delete
	case "*":
		return All
	}
	return 0
}

// Has reports whether all of b is in a.
func (a Actions) Has(b Actions) bool { return a&b == b }

// Names lists the actions: pull, push, delete in this order, or * for all.
// The list of none is empty and not nil.
func (a Actions) Names() []string {
	if a.Has(All) {
		return []string{"*"}
	}
	names := make([]string, 0, 2)
	for _, s := range [...]string{"pull", "push", "delete"} {
		if a.Has(action(s)) {
			names = append(names, s)
		}
	}
	return names
}

// String joins the names by commas, as a scope has them.
func (a Actions) String() string { return strings.Join(a.Names(), ",") }

// MarshalJSON writes the names as a list.
func (a Actions) MarshalJSON() ([]byte, error) { return json.Marshal(a.Names()) }

// UnmarshalJSON reads a list of names. Those that are unknown are left out:
// they are no right that could be exercised here.
func (a *Actions) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return fmt.Errorf("actions: %w", err)
	}
	*a = 0
	for _, s := range names {
		*a |= action(s)
	}
	return nil
}
