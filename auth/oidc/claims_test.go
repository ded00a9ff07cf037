package oidc_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/oidc"
)

// FuzzClaims checks that whatever a provider says makes either nobody or
// somebody who may be a user.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{
		`{"email":"a@b","email_verified":true,"r":{"g":["x"]},"hd":"y"}`, `{"email":["a"],"email_verified":"true","hd":["x","y"]}`,
		`{"email":"**@x","email_verified":true,"hd":"y","r.g":"x"}`, `{"email":null}`, `null`, `{"r":{"g":[[["x"]],{},1,true]},"hd":"y","email":"a","email_verified":true}`,
	} {
		f.Add([]byte(s))
	}
	l, err := oidc.New(oidc.Options{NameClaim: "email", GroupsClaim: "r.g", AdminGroup: "x", Require: map[string]string{"hd": "*y*"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var claims map[string]any
		if json.Unmarshal(data, &claims) != nil {
			return
		}
		p, err := l.PersonOf(claims)
		if err != nil {
			if !errors.Is(err, auth.ErrDenied) {
				t.Errorf("%v", err)
			}
			return
		}
		if auth.CheckName(p.Name) != nil || len(p.Groups) > auth.MaxGroups {
			t.Errorf("%+v", p)
		}
		for _, g := range p.Groups {
			if auth.CheckGroup(g) != nil {
				t.Errorf("group %q", g)
			}
		}
	})
}
