package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

// removed says of one user that it is gone.
type removed string

func (r removed) Standing(_ context.Context, p auth.Principal, _ time.Time) error {
	if p.Name == string(r) {
		return fmt.Errorf("%w: gone", auth.ErrInvalidToken)
	}
	return nil
}

func TestGate(t *testing.T) {
	g := auth.Gate{Policy: auth.NewLive(defaults(t)), Standing: removed("gone")}
	held := []auth.Access{auth.Repository("team/a", auth.Pull|auth.Push), auth.Repository("team/b", auth.Pull), auth.Repository("team/b", auth.Delete)}
	token := func(p auth.Principal) auth.Principal { return p.WithToken(held, start) }
	var nobody auth.Principal
	for _, tc := range []struct {
		name       string
		who        auth.Principal
		repository string
		want       auth.Actions
		err        error
		missing    auth.Actions
	}{
		{"password, granted", user("alice"), "alice/x", auth.All, nil, 0},
		{"password, not granted", user("alice"), "public/x", auth.Pull | auth.Push, auth.ErrDenied, auth.Push},
		{"password, administrator", admin(), "any", auth.All, nil, 0},
		{"nobody", nobody, "alice/x", auth.Pull, auth.ErrDenied, auth.Pull},
		{"token, held", token(user("x")), "team/a", auth.Pull | auth.Push, nil, 0},
		{"token, held by two entries", token(user("x")), "team/b", auth.Pull | auth.Delete, nil, 0},
		{"token, anonymous", token(nobody), "team/a", auth.Pull, nil, 0},
		{"token, not held", token(user("x")), "team/a", auth.Push | auth.Delete, auth.ErrInsufficientScope, auth.Delete},
		{"token, granted and not held", token(user("alice")), "alice/x", auth.Pull, auth.ErrInsufficientScope, auth.Pull},
		{"token, of an administrator", token(admin()), "any", auth.Pull, auth.ErrInsufficientScope, auth.Pull},
		{"token, another name", token(user("x")), "team/aa", auth.Pull, auth.ErrInsufficientScope, auth.Pull},
		{"token, nothing asked", token(user("x")), "team/a", 0, auth.ErrInsufficientScope, 0},
		{"password, nothing asked", admin(), "team/a", 0, auth.ErrDenied, 0},
		{"removed, pull", token(user("gone")), "team/a", auth.Pull, nil, 0},
		{"removed, push", token(user("gone")), "team/a", auth.Pull | auth.Push, auth.ErrInvalidToken, 0},
		{"removed, delete", token(user("gone")), "team/b", auth.Delete, auth.ErrInvalidToken, 0},
	} {
		err := g.Allow(t.Context(), tc.who, tc.repository, tc.want, start)
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
		var access *auth.AccessError
		if errors.As(err, &access) && (access.Missing != tc.missing || access.Needed != auth.Repository(tc.repository, tc.want)) {
			t.Errorf("%s: %+v", tc.name, access)
		}
	}
}

func TestGateCatalog(t *testing.T) {
	g := auth.Gate{Standing: removed("gone")}
	catalog := []auth.Access{auth.Catalog()}
	gone := auth.Principal{Kind: auth.User, Name: "gone", Admin: true}
	for _, tc := range []struct {
		who auth.Principal
		err error
	}{
		{user("a"), nil},
		{user("a").WithToken(catalog, start), nil},
		{auth.Principal{}.WithToken(catalog, start), nil},
		{user("a").WithToken([]auth.Access{auth.Repository("catalog", auth.All)}, start), auth.ErrInsufficientScope},
		{admin().WithToken(nil, start), auth.ErrInsufficientScope},
		{gone.WithToken(catalog, start), auth.ErrInvalidToken},
		{gone.WithToken(nil, start), auth.ErrInsufficientScope},
	} {
		if err := g.AllowCatalog(t.Context(), tc.who, start); !errors.Is(err, tc.err) {
			t.Errorf("%v: %v", tc.who, err)
		}
	}
}

func TestGateStands(t *testing.T) {
	g := auth.Gate{Standing: removed("gone")}
	token := user("gone").WithToken(nil, start)
	if err := g.Stands(t.Context(), token, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("a token of who was removed: %v", err)
	}
	if err := g.Stands(t.Context(), user("gone"), start); err != nil {
		t.Errorf("without a token: %v", err)
	}
	if err := g.Stands(t.Context(), user("a").WithToken(nil, start), start); err != nil {
		t.Errorf("a token of who is there: %v", err)
	}
	if err := (auth.Gate{}).Stands(t.Context(), token, start); err != nil {
		t.Errorf("nobody to ask: %v", err)
	}
}

func TestZeroGateDenies(t *testing.T) {
	var g auth.Gate
	if err := g.Allow(t.Context(), user("a"), "a/b", auth.Pull, start); !errors.Is(err, auth.ErrDenied) {
		t.Error(err)
	}
}

// The source of a mount: the grants count, the entries do not.
func TestGateLive(t *testing.T) {
	g := auth.Gate{Policy: auth.NewLive(defaults(t))}
	p := user("alice").WithToken([]auth.Access{auth.Repository("bob/x", auth.Pull)}, start)
	if !g.Live(p, "alice/x", auth.Pull).Allowed || g.Live(p, "bob/x", auth.Pull).Allowed {
		t.Error("the entries of the token were asked")
	}
}

func TestAccessErrorNamesTheAction(t *testing.T) {
	err := auth.Gate{}.Allow(t.Context(), user("a"), "b/c", auth.Pull|auth.Push, start)
	if want := "denied: repository:b/c:pull,push"; err.Error() != want {
		t.Errorf("%q", err)
	}
}

func TestPrincipalID(t *testing.T) {
	for want, p := range map[string]auth.Principal{
		"anonymous":  {},
		"user:alice": user("alice"),
		"robot:ci":   robot(t, "ci"),

		"outside:gitlab:project_path:a/b": {Kind: auth.Outside, Name: "gitlab:project_path:a/b"},
	} {
		if p.ID() != want {
			t.Errorf("%s, want %s", p.ID(), want)
		}
	}
}

func TestPrincipalAccessIsACopy(t *testing.T) {
	held := []auth.Access{auth.Repository("a", auth.Pull)}
	p := user("x").WithToken(held, start)
	held[0].Name = "b"
	p.Access()[0].Name = "c"
	if !p.Allows(auth.Repository("a", auth.Pull)) || p.Allows(auth.Repository("b", auth.Pull)) {
		t.Error("the entries can be changed from outside")
	}
}
