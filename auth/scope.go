package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Limits of scopes. The name in one has at most 255 bytes.
const (
	MaxScopes = 100 // of one request for a token
	MaxScope  = 512 // bytes of one scope
)

// errUnknownScope means a scope by the grammar about something that cannot be
// here.
var errUnknownScope = errors.New("nothing of this kind is here")

// ParseScopes reads the scope parameters of a request for a token: repeated,
// joined by spaces, or both. Scopes of one resource become one, in the order
// in which they came first. The source is distribution's
// docs/content/spec/auth/scope.md, and what clients really send.
//
// A scope that breaks the grammar, is too long, or names an unknown type, action
// or an impossible repository is dropped: rights that are missing shrink the
// answer and are no error, and a client that asks for one thing of a later
// version gets the rest. ErrScope if there are more than MaxScopes.
func ParseScopes(values []string) ([]Access, error) {
	var scopes []Access
	n := 0
	for _, value := range values {
		for s := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ' ' }) {
			if n++; n > MaxScopes {
				return nil, fmt.Errorf("%w: more than %d", ErrScope, MaxScopes)
			}
			if a, err := ParseScope(s); err == nil {
				scopes = merge(scopes, a)
			}
		}
	}
	return scopes, nil
}

func merge(scopes []Access, a Access) []Access {
	for i := range scopes {
		if scopes[i].same(a) {
			scopes[i].Actions |= a.Actions
			return scopes
		}
	}
	return append(scopes, a)
}

// ParseScope reads one scope, type:name:actions, split at the first and the
// last colon: a name may have one itself. The class of a type is dropped,
// repository(plugin) is repository; unknown actions are. ErrScope if it breaks
// the grammar; another error if it names what cannot be here.
func ParseScope(s string) (Access, error) {
	if len(s) > MaxScope {
		return Access{}, fmt.Errorf("%w: longer than %d bytes", ErrScope, MaxScope)
	}
	first, last := strings.IndexByte(s, ':'), strings.LastIndexByte(s, ':')
	if strings.ContainsFunc(s, isNotVisible) || first <= 0 || last <= first+1 {
		return Access{}, fmt.Errorf("%w: %q is not type:name:actions", ErrScope, s)
	}
	kind, err := scopeType(s[:first])
	if err != nil {
		return Access{}, err
	}
	a := Access{Type: kind, Name: s[first+1 : last], Actions: scopeActions(s[last+1:])}
	if a.Actions == 0 || !a.possible() {
		return Access{}, fmt.Errorf("%w: %q", errUnknownScope, s)
	}
	return a, nil
}

// isNotVisible reports what is outside the visible characters of ASCII.
func isNotVisible(r rune) bool { return r <= ' ' || r > '~' }

// scopeType drops the class: type := value [ "(" value ")" ].
func scopeType(s string) (string, error) {
	kind, class, has := strings.Cut(s, "(")
	class, closed := strings.CutSuffix(class, ")")
	if !isTypeValue(kind) || has != closed || has && !isTypeValue(class) {
		return "", fmt.Errorf("%w: %q is no type", ErrScope, s)
	}
	return kind, nil
}

func isTypeValue(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

func scopeActions(s string) Actions {
	var set Actions
	for name := range strings.SplitSeq(s, ",") {
		set |= action(name)
	}
	return set
}

// possible reports whether the resource could be here.
func (a Access) possible() bool {
	switch a.Type {
	case TypeRepository:
		_, err := oci.ParseRepository(a.Name)
		return err == nil
	case TypeRegistry:
		return a.Name == NameCatalog
	}
	return false
}
