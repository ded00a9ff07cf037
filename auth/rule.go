package auth

import (
	"fmt"
	"strings"
)

// Limits of rules: they stand in every token of their principal.
const (
	MaxRules = 32  // of one principal, its own and those that narrow it each
	MaxRule  = 280 // bytes of one in text form
)

// Rule is actions on the repositories that a pattern matches: a right of a
// robot or an outside issuer, or the ceiling of a personal token. Its text form
// is "team/**:pull,push". The zero Rule matches nothing.
type Rule struct {
	Repositories Pattern
	Actions      Actions
}

// ParseRule reads the text form of a rule: a pattern, a colon, and actions with
// commas between them. A rule without a colon is none: what it may must be
// said.
func ParseRule(s string) (Rule, error) {
	if len(s) > MaxRule {
		return Rule{}, fmt.Errorf("a rule has at most %d bytes", MaxRule)
	}
	pattern, actions, ok := strings.Cut(s, ":")
	if !ok {
		return Rule{}, fmt.Errorf("a rule is PATTERN:ACTIONS such as team/**:pull,push, not %q", s)
	}
	var r Rule
	var err error
	if r.Repositories, err = ParsePattern(pattern); err != nil {
		return Rule{}, err
	}
	r.Actions, err = ParseActions(strings.Split(actions, ","))
	return r, err
}

// ParseRules reads at most MaxRules rules. The list of none is nil.
func ParseRules(texts []string) ([]Rule, error) {
	if len(texts) > MaxRules {
		return nil, fmt.Errorf("more than %d rules", MaxRules)
	}
	var rules []Rule
	for _, s := range texts {
		r, err := ParseRule(s)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// RuleTexts is the reverse of ParseRules.
func RuleTexts(rules []Rule) []string {
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.String())
	}
	return texts
}

func (r Rule) String() string { return r.Repositories.String() + ":" + r.Actions.String() }

// rightsOf returns the part of want that the rules give p on a repository, and
// the texts of the rules that give something.
func rightsOf(rules []Rule, p Principal, repository string, want Actions) (rights Actions, texts string) {
	for _, r := range rules {
		more := r.Actions & want &^ rights
		if more == 0 || !r.Repositories.Match(repository, p.variable()) {
			continue
		}
		texts, rights = also(texts, r.String(), true), rights|more
	}
	return rights, texts
}
