package issuer

import (
	"context"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/reason"
	"github.com/berth-registry/berth/oci"
	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far an issuer's clock may be ahead of ours: a token may be that
// young before it was born. None goes on after its end.
const leeway = time.Minute

// verify does the work of Verify and Login. The issuer is chosen by what the
// token says, before that is believed; its keys then decide whether it is.
func (t *Trust) verify(ctx context.Context, raw string, tokens Tokens, now time.Time) (verified, error) {
	var from *trusted
	var keys *keySet
	find := func(token *jwt.Token) (any, error) {
		id, algorithm, err := header(token)
		if err != nil {
			return nil, err
		}
		c := *token.Claims.(*claims)
		if from = t.byIssuer[c.text("iss")]; from == nil {
			return nil, reason.ErrIssuer
		}
		if !from.has(tokens) {
			return nil, errTokens
		}
		var key any
		keys, key, err = from.source.find(ctx, id, algorithm, now)
		return key, err
	}
	var c claims
	parser := jwt.NewParser(
		jwt.WithValidMethods(algorithms),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding(),
	)
	if _, err := parser.ParseWithClaims(raw, &c, find); err != nil {
		return verified{}, why(err)
	}
	p, err := from.principal(tokens, c, now)
	return verified{keys, from.source, p}, err
}

// header checks what a header may say. The typ of an ID token and of registry
// tokens is JWT, or left out (RFC 7519, section 5.1): one that is called
// otherwise, at+jwt or logout+jwt, was issued for something else (RFC 8725,
// section 3.11). A kid that is no text is no kid that could be known.
func header(token *jwt.Token) (id, algorithm string, err error) {
	if _, has := token.Header["crit"]; has {
		return "", "", reason.ErrCritical
	}
	if typ, has := token.Header["typ"]; has {
		text, _ := typ.(string)
		if strings.TrimPrefix(strings.ToLower(text), "application/") != "jwt" {
			return "", "", errType
		}
	}
	if kid, has := token.Header["kid"]; has {
		text, is := kid.(string)
		if !is || text == "" {
			return "", "", reason.ErrUnknownKey
		}
		id = text
	}
	return id, token.Method.Alg(), nil
}

// principal is who a token with these claims is, whose signature has been
// verified.
func (t *trusted) principal(tokens Tokens, c claims, now time.Time) (auth.Principal, error) {
	expires, err := c.GetExpirationTime()
	if err != nil || !now.Before(expires.Time) {
		return auth.Principal{}, reason.ErrExpired
	}
	entries, err := t.fitting(tokens, c)
	if err != nil {
		return auth.Principal{}, err
	}
	p := auth.Principal{Kind: auth.Outside, Expires: expires.Time}
	if p.Name, err = t.name(tokens, c); err != nil {
		return auth.Principal{}, err
	}
	var ids []string
	var rules []auth.Rule
	for _, e := range entries {
		ids, rules = append(ids, e.id), append(rules, e.rules(c)...)
	}
	p.Credential = strings.Join(ids, separator)
	if len(rules) > auth.MaxRules {
		return auth.Principal{}, errTooMany
	}
	if tokens == Identity {
		p.Own = rules
		return p, nil
	}
	return within(p, rules, c)
}

// separator stands between the ids of entries in Principal.Credential.
const separator = ","

// name is who and subject. A registry token without a subject is that of an
// anonymous client of the issuer.
func (t *trusted) name(tokens Tokens, c claims) (string, error) {
	subject := c.text("sub")
	name := t.who + ":" + subject
	anonymous := tokens == Registry && subject == "" && (!c.is("sub") || string(c["sub"]) == `""`)
	if !anonymous && auth.CheckOutside(name) != nil {
		return "", errSubject
	}
	return name, nil
}

// within returns p with a token that holds what the access claim says, cut to
// the rules. What its entries do not decide, such as the source of a mount, is
// judged by the same entries: the issuer has said who may what.
func within(p auth.Principal, rules []auth.Rule, c claims) (auth.Principal, error) {
	access, err := c.access()
	if err != nil {
		return auth.Principal{}, err
	}
	var held []auth.Access
	for _, a := range access {
		switch a.Type {
		case auth.TypeRepository:
			a.Actions = cut(a, rules)
			r, err := auth.ParseRule(a.Name + ":" + a.Actions.String())
			if a.Actions == 0 || err != nil {
				continue
			}
			held, p.Own = append(held, a), append(p.Own, r)
		case auth.TypeRegistry:
			if a.Name == auth.NameCatalog {
				held = append(held, a)
			}
		}
	}
	p.Narrowed, p.Within = true, rules
	return p.WithToken(held, p.Expires), nil
}

// cut returns the part of a that the rules allow; none of what is no repository
// name.
func cut(a auth.Access, rules []auth.Rule) auth.Actions {
	if _, err := oci.ParseRepository(a.Name); err != nil {
		return 0
	}
	var allowed auth.Actions
	for _, r := range rules {
		if r.Repositories.Match(a.Name, "") {
			allowed |= r.Actions
		}
	}
	return a.Actions & allowed
}
