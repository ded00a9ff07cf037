package issuer_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

// refuses tries a token as a password and as a bearer token, twice: a refusal
// is not remembered as anything else.
func refuses(t *testing.T, i *issuer.Issuers, name, raw, why string) {
	t.Helper()
	for range 2 {
		who, err := login(t, i, raw)
		bearer, err2 := i.Verify(raw, start)
		if !errors.Is(err, auth.ErrBadCredentials) || !errors.Is(err2, auth.ErrInvalidToken) {
			t.Errorf("%s: %v, %v", name, err, err2)
			return
		}
		for _, p := range []auth.Principal{who, bearer} {
			if p.Kind != auth.Anonymous || p.Token || p.Own != nil || p.Name != "" {
				t.Errorf("%s: beside an error %+v", name, p)
			}
		}
		for text, want := range map[string]string{err.Error(): "wrong user name or password: the identity token is refused: " + why, err2.Error(): "invalid token: " + why} {
			if why != "" && text != want {
				t.Errorf("%s: %s, want %s", name, text, want)
			}
			if len(text) > 200 {
				t.Errorf("%s: the error quotes: %s", name, text)
			}
		}
	}
}

func both(t *testing.T) (*provider, *issuer.Issuers) {
	p := newProvider(t)
	return p, trust(t, p.identity(), p.registry())
}

func TestAlgorithmAttacks(t *testing.T) {
	p, i := both(t)
	const why = "wrong signature or algorithm"
	for alg, key := range kinds() {
		kid := map[string]any{"kid": alg}
		refuses(t, i, "none", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid, p.claims(nil)), why)
		for form, secret := range publicForms(t, key.Public()) {
			for _, hs := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
				refuses(t, i, hs.Alg()+" with the public key of "+alg+" as "+form, forge(t, hs, secret, kid, p.claims(nil)), why)
			}
		}
	}
	rs := map[string]any{"kid": "RS256"}
	refuses(t, i, "PS256", forge(t, jwt.SigningMethodPS256, kinds()["RS256"], rs, p.claims(nil)), why)
	for alg, kid := range map[string]string{"EdDSA": "ES256", "ES256": "ES384", "ES384": "RS256", "RS256": "EdDSA"} {
		raw := forge(t, jwt.GetSigningMethod(alg), kinds()[alg], map[string]any{"kid": kid}, p.claims(nil))
		refuses(t, i, alg+" under the kid of "+kid, raw, "not the algorithm of the key")
	}
	for _, alg := range []string{"None", "NONE", "", "HS256 ", "edDSA", "Ed25519"} {
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","kid":"EdDSA"}`))
		refuses(t, i, "alg "+alg, head+"."+strings.Split(p.sign("EdDSA", nil), ".")[1]+".", "")
	}
}

// publicForms are the ways in which a public key has been taken for a secret.
func publicForms(t *testing.T, public crypto.PublicKey) map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	published, err := json.Marshal(jwkOf(t, "x", public))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"DER": der, "JWK": published,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}
}

func TestHeaderAttacks(t *testing.T) {
	p, i := both(t)
	mine := newKey(t) // the attacker's
	jwk := jwkOf(t, "EdDSA", mine.Public())
	signature, unknown := "wrong signature or algorithm", "unknown key"
	for name, tc := range map[string]struct {
		header map[string]any
		why    string
	}{
		"known kid, other key": {map[string]any{"kid": "EdDSA"}, signature},
		"no kid":               {nil, signature}, // the only key that fits
		"foreign kid":          {map[string]any{"kid": "somebody"}, unknown},
		"empty kid":            {map[string]any{"kid": ""}, unknown},
		"kid of a file":        {map[string]any{"kid": "../../dev/null"}, unknown},
		"kid is a number":      {map[string]any{"kid": 1}, unknown},
		"kid is a list":        {map[string]any{"kid": []string{"EdDSA"}}, unknown},
		"jwk (CVE-2025-24976)": {map[string]any{"kid": "EdDSA", "jwk": jwk}, signature},
		"jwk without kid":      {map[string]any{"jwk": jwk}, signature},
		"jku":                  {map[string]any{"kid": "EdDSA", "jku": p.url + "/evil"}, signature},
		"jku, unknown kid":     {map[string]any{"kid": "evil", "jku": p.url + "/evil"}, unknown},
		"x5u":                  {map[string]any{"kid": "EdDSA", "x5u": p.url + "/evil"}, signature},
		"x5c":                  {map[string]any{"kid": "EdDSA", "x5c": []string{"AAAA"}}, signature},
		"crit":                 {map[string]any{"kid": "EdDSA", "crit": []string{"b64"}, "b64": false}, "critical header extension"},
	} {
		refuses(t, i, name, forge(t, jwt.SigningMethodEdDSA, mine, tc.header, p.claims(nil)), tc.why)
	}
	// Signed by the issuer, and still not what is asked for.
	for name, tc := range map[string]struct {
		header map[string]any
		why    string
	}{
		"crit":         {map[string]any{"crit": []string{"x"}, "x": 1}, "critical header extension"},
		"empty crit":   {map[string]any{"crit": []string{}}, "critical header extension"},
		"access token": {map[string]any{"typ": "at+jwt"}, "typ is not JWT"},
		"logout token": {map[string]any{"typ": "application/logout+jwt"}, "typ is not JWT"},
		"typ empty":    {map[string]any{"typ": ""}, "typ is not JWT"},
		"typ a list":   {map[string]any{"typ": []string{"JWT"}}, "typ is not JWT"},
	} {
		tc.header["kid"] = "EdDSA"
		refuses(t, i, name+", signed", forge(t, jwt.SigningMethodEdDSA, kinds()["EdDSA"], tc.header, p.claims(nil)), tc.why)
	}
	for name, header := range map[string]map[string]any{
		"no typ": {"typ": nil}, "jwt": {"typ": "jwt"}, "a media type": {"typ": "application/JWT"},
		"with a jwk": {"jwk": jwk}, "with a jku": {"jku": p.url + "/evil"}, "with x5c": {"x5c": []string{"AAAA"}}, "without kid": {"kid": nil},
	} {
		if _, has := header["kid"]; !has {
			header["kid"] = "EdDSA"
		}
		if _, err := login(t, i, forge(t, jwt.SigningMethodEdDSA, kinds()["EdDSA"], header, p.claims(nil))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClaimAttacks(t *testing.T) {
	p, i := both(t)
	with := func(name string, value any) jwt.MapClaims { return jwt.MapClaims{name: value} }
	now := start.Unix()
	for name, tc := range map[string]struct {
		claims jwt.MapClaims
		why    string
	}{
		"expired":               {with("exp", now-1), "expired"},
		"expires now":           {with("exp", now), "expired"},
		"expired long ago":      {with("exp", now-100_000), "expired"},
		"exp missing":           {with("exp", nil), "exp, iss or aud is missing"},
		"exp null":              {with("exp", json.RawMessage("null")), "exp, iss or aud is missing"},
		"exp a string":          {with("exp", "2100-01-01"), "malformed"},
		"exp before everything": {with("exp", -1e300), "expired"},
		"exp in another case":   {jwt.MapClaims{"exp": nil, "Exp": now + 100}, "exp, iss or aud is missing"},
		"nbf in the future":     {with("nbf", now+61), "not valid yet"},
		"nbf a string":          {with("nbf", "now"), "malformed"},
		"iat in the future":     {with("iat", now+61), "not valid yet"},
		"iat an object":         {with("iat", map[string]any{}), "malformed"},
		"iss missing":           {with("iss", nil), "foreign issuer"},
		"iss of another":        {with("iss", "https://issuer.example.org"), "foreign issuer"},
		"iss with a slash":      {with("iss", p.url+"/"), "foreign issuer"},
		"iss in upper case":     {with("iss", strings.ToUpper(p.url)), "foreign issuer"},
		"iss a list":            {with("iss", []string{p.url}), "foreign issuer"},
		"iss in another case":   {jwt.MapClaims{"iss": nil, "ISS": p.url}, "foreign issuer"},
		"aud missing":           {with("aud", nil), "foreign audience"},
		"aud null":              {with("aud", json.RawMessage("null")), "foreign audience"},
		"aud empty":             {with("aud", []string{}), "foreign audience"},
		"aud an empty text":     {with("aud", ""), "foreign audience"},
		"aud of another":        {with("aud", "https://github.com/octo"), "foreign audience"},
		"aud part of it":        {with("aud", "registry"), "foreign audience"},
		"aud in another case":   {jwt.MapClaims{"aud": nil, "Aud": audience}, "foreign audience"},
		"aud a number":          {with("aud", 7), "malformed"},
		"aud of numbers":        {with("aud", []any{audience, 7}), "malformed"},
	} {
		refuses(t, i, name, p.sign("EdDSA", tc.claims), tc.why)
	}
	for name, claims := range map[string]jwt.MapClaims{
		"nbf a minute ahead": with("nbf", now+60), "iat a minute ahead": with("iat", now+60), "no nbf": with("nbf", nil), "no iat": with("iat", nil),
		"aud in a list": with("aud", []string{"x", audience}), "a second left": with("exp", now+1), "and a half": with("exp", float64(now)+1.5),
	} {
		if _, err := login(t, i, p.sign("EdDSA", claims)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each issuer speaks for itself: the key of one is nothing under the name of
// the other, also where both call it by one kid.
func TestIssuersAreKeptApart(t *testing.T) {
	a, b := newProvider(t), newProvider(t)
	b.private = map[string]crypto.Signer{"EdDSA": newKey(t)}
	of := func(p *provider, who string) []issuer.Entry {
		change := func(e *issuer.Entry) { e.Who = who }
		return []issuer.Entry{p.identity(change), p.registry(change)}
	}
	i := trust(t, append(of(a, "a"), of(b, "b")...)...)
	refuses(t, i, "the key of A under B", a.sign("EdDSA", jwt.MapClaims{"iss": b.url}), "wrong signature or algorithm")
	refuses(t, i, "another key of A under B", a.sign("ES256", jwt.MapClaims{"iss": b.url}), "unknown key")
	refuses(t, i, "the key of B under A", forge(t, jwt.SigningMethodEdDSA, b.private["EdDSA"], map[string]any{"kid": "EdDSA"}, a.claims(nil)), "wrong signature or algorithm")
	inA, err1 := login(t, i, a.sign("EdDSA", nil))
	inB, err2 := login(t, i, forge(t, jwt.SigningMethodEdDSA, b.private["EdDSA"], map[string]any{"kid": "EdDSA"}, b.claims(nil)))
	if err1 != nil || err2 != nil || inA.ID() != "outside:a:repo:octo/app" || inB.ID() != "outside:b:repo:octo/app" {
		t.Errorf("%v %v, %v %v", inA, err1, inB, err2)
	}
}

func TestShapeAttacks(t *testing.T) {
	p, i := both(t)
	raw := p.sign("EdDSA", nil)
	parts := strings.Split(raw, ".")
	for name, bad := range map[string]string{
		"empty":             "",
		"dots":              "..",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        raw + ".",
		"no signature":      parts[0] + "." + parts[1] + ".",
		"signature cut":     raw[:len(raw)-4],
		"padding":           raw + "==",
		"space":             raw + " ",
		"header is a list":  "W10." + parts[1] + "." + parts[2],
		"claims are null":   parts[0] + ".bnVsbA." + parts[2],
		"claims are a list": parts[0] + ".W10." + parts[2],
		"huge, signed":      p.sign("EdDSA", jwt.MapClaims{"pad": strings.Repeat("x", 64<<10)}),
		"huge":              strings.Repeat("a", 10<<20),
		"deep":              parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 40_000))) + "." + parts[2],
		"claims exchanged":  parts[0] + "." + strings.Split(p.sign("EdDSA", jwt.MapClaims{"owner": "evil"}), ".")[1] + "." + parts[2],
	} {
		refuses(t, i, name, bad, "")
	}
	for n := range len(raw) {
		if _, err := login(t, i, raw[:n]); err == nil {
			t.Fatalf("the first %d bytes are accepted", n)
		}
	}
}

func TestNobodyIsTrusted(t *testing.T) {
	p := newProvider(t)
	refuses(t, trust(t), "no entry", p.sign("EdDSA", nil), "foreign issuer")
}

// FuzzToken checks that of a genuine header and signature no other claims are
// accepted, and that no bytes make a principal who is not outside.
func FuzzToken(f *testing.F) {
	p := newProvider(f)
	i := trust(f, p.identity(), p.registry())
	raw := p.sign("EdDSA", nil)
	f.Add(raw)
	f.Add(forge(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": "EdDSA"}, p.claims(nil)))
	f.Add(forge(f, jwt.SigningMethodHS256, []byte(kinds()["EdDSA"].Public().(ed25519.PublicKey)), map[string]any{"kid": "EdDSA"}, p.claims(nil)))
	f.Add("a.b.c")
	f.Add("..")
	f.Add("eyJhbGciOiJFZERTQSJ9.bnVsbA.")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := login(t, i, text)
		_, err2 := i.Verify(text, start)
		if (err == nil || err2 == nil) && text != raw {
			t.Errorf("accepted: %q", text)
		}
	})
}

// FuzzClaims signs whatever the fuzzer makes of a claim: nobody but an outside
// caller comes of it, and nothing beyond where the template stands.
func FuzzClaims(f *testing.F) {
	p := newProvider(f)
	i := trust(f, p.identity(), p.registry())
	for _, value := range []string{`"octo/app"`, `"admin"`, `"*"`, `"**"`, `".."`, `"a/../b"`, `""`, `null`, `7`, `["octo"]`, `{"a":"b"}`, `"Octo"`, `"a:b"`, `"${user}"`,
		`[{"type":"repository","name":"team/a","actions":["*"]}]`, `[{"type":"repository","name":"alice/a","actions":["pull"]}]`, `1e999`, `"\ud800"`} {
		for _, name := range []string{"sub", "path", "owner", "access", "aud", "iss", "exp", "nbf"} {
			f.Add(name, value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		raw := forge(t, jwt.SigningMethodEdDSA, kinds()["EdDSA"], map[string]any{"kid": "EdDSA"}, p.claims(jwt.MapClaims{name: json.RawMessage(value)}))
		var text string
		other := json.Unmarshal([]byte(value), &text) == nil && text == "other" && name == "path"
		who, err := login(t, i, raw)
		bearer, err2 := i.Verify(raw, start)
		for _, q := range []auth.Principal{who, bearer} {
			for _, repository := range []string{"alice/app", "ci/other/x", "public/x", "ci/octo"} {
				if rights := may(q, repository); rights != 0 && (!other || repository != "ci/other/x") {
					t.Errorf("%s=%s may %v on %s", name, value, rights, repository)
				}
			}
			if q.Administers() || q.Groups != nil {
				t.Errorf("%s=%s: %+v", name, value, q)
			}
		}
		for _, got := range []struct {
			auth.Principal
			err error
		}{{who, err}, {bearer, err2}} {
			if (got.err == nil) != (got.Kind == auth.Outside) || got.err == nil && !strings.HasPrefix(got.Name, "ci:") {
				t.Errorf("%s=%s: %+v %v", name, value, got.Principal, got.err)
			}
		}
	})
}
