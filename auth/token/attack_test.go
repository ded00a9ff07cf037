package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
	"github.com/golang-jwt/jwt/v5"
)

// forge signs any header and claims with any method and key.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, c)
	maps.Copy(tok.Header, header)
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// claims are good ones, changed. A nil value removes.
func claims(changes jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": issuer, "sub": "alice", "aud": []string{service}, "jti": "x",
		"exp": start.Add(ttl).Unix(), "nbf": start.Add(-time.Minute).Unix(), "iat": start.Add(-time.Minute).Unix(),
		"access": []any{map[string]any{"type": "repository", "name": "a/b", "actions": []string{"pull"}}},
		"berth":  map[string]any{"kind": "user"},
	}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func with(k string, v any) jwt.MapClaims { return claims(jwt.MapClaims{k: v}) }

// setting is one set of keys of all kinds, with their ids.
type setting struct {
	keys     map[string]crypto.Signer
	ids      map[string]string
	verifier func() *token.Verifier
}

func newSetting(t testing.TB) setting {
	s := setting{keys: kinds(t), ids: map[string]string{}}
	var paths []string
	for alg, key := range s.keys {
		paths = append(paths, store(t, key))
		s.ids[alg] = keyID(t, load(t, paths[len(paths)-1]))
	}
	loaded := load(t, paths...)
	s.verifier = func() *token.Verifier { return token.NewVerifier(loaded, issuer, service) }
	return s
}

// keyID returns the kid of the first key.
func keyID(t testing.TB, keys *token.Keys) string {
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(keys.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys[0].Kid
}

func refuses(t *testing.T, v *token.Verifier, name, raw, why string) {
	t.Helper()
	for range 2 { // a refusal is not remembered as anything else
		p, err := v.Verify(raw, start)
		if !errors.Is(err, auth.ErrInvalidToken) || p.Kind != auth.Anonymous || p.Token {
			t.Errorf("%s: %v, %v", name, p, err)
			return
		}
		if want := "invalid token: " + why; why != "" && err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if len(err.Error()) > 100 {
			t.Errorf("%s: the error quotes: %v", name, err)
		}
	}
}

// The forging above makes tokens that are accepted if nothing is wrong.
func TestForgedRightIsAccepted(t *testing.T) {
	s := newSetting(t)
	for alg, key := range s.keys {
		raw := forge(t, jwt.GetSigningMethod(alg), key, map[string]any{"kid": s.ids[alg]}, claims(nil))
		if p, err := s.verifier().Verify(raw, start); err != nil || p.ID() != "user:alice" {
			t.Errorf("%s: %v %v", alg, p, err)
		}
	}
	for name, c := range map[string]jwt.MapClaims{
		"aud as a string":      with("aud", service),
		"aud among others":     with("aud", []string{"x", service}),
		"no nbf":               with("nbf", nil),
		"entry of a new type":  with("access", []any{map[string]any{"type": "new", "name": "??", "actions": []string{"x"}}}),
		"entry without rights": with("access", []any{map[string]any{"type": "repository", "name": "a"}}),
	} {
		raw := forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, c)
		if p, err := s.verifier().Verify(raw, start); err != nil || p.Allows(auth.Repository("a", auth.Pull)) {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
}

func TestAlgorithmAttacks(t *testing.T) {
	s := newSetting(t)
	v := s.verifier()
	ed, ec, rs := s.ids["EdDSA"], s.ids["ES256"], s.ids["RS256"]
	kid := func(id string) map[string]any { return map[string]any{"kid": id} }
	for _, id := range []string{ed, ec, rs} {
		refuses(t, v, "none", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid(id), claims(nil)), "wrong signature or algorithm")
	}
	for _, alg := range []string{"None", "NONE", "nOnE", "", "HS256 ", "edDSA", "EDDSA"} {
		head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","typ":"JWT","kid":"` + ed + `"}`))
		body := strings.Split(forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], kid(ed), claims(nil)), ".")[1]
		refuses(t, v, "alg "+alg, head+"."+body+".", "")
	}
	for _, alg := range []string{"EdDSA", "ES256", "RS256"} {
		for form, secret := range publicForms(t, s.keys[alg].Public()) {
			for _, hs := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
				raw := forge(t, hs, secret, kid(s.ids[alg]), claims(nil))
				refuses(t, v, hs.Alg()+" with the public key as "+form, raw, "wrong signature or algorithm")
			}
		}
	}
	refuses(t, v, "PS256 with the RSA key", forge(t, jwt.SigningMethodPS256, s.keys["RS256"], kid(rs), claims(nil)), "wrong signature or algorithm")
	refuses(t, v, "RS512 with the RSA key", forge(t, jwt.SigningMethodRS512, s.keys["RS256"], kid(rs), claims(nil)), "wrong signature or algorithm")
	for id, alg := range map[string]string{ec: "EdDSA", rs: "ES256", ed: "RS256"} {
		raw := forge(t, jwt.GetSigningMethod(alg), s.keys[alg], kid(id), claims(nil))
		refuses(t, v, alg+" under the kid of another algorithm", raw, "not the algorithm of the key")
	}
}

// publicForms are the ways in which a public key has been taken for a secret.
func publicForms(t *testing.T, public crypto.PublicKey) map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string][]byte{
		"DER": der,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}
	if raw, ok := public.(ed25519.PublicKey); ok {
		forms["bytes"] = raw
	}
	return forms
}

func TestKeyAttacks(t *testing.T) {
	s := newSetting(t)
	v := s.verifier()
	mine := kinds(t) // the attacker's
	good := s.ids["EdDSA"]
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": good, "alg": "EdDSA",
		"x": base64.RawURLEncoding.EncodeToString(mine["EdDSA"].Public().(ed25519.PublicKey))}
	for name, tc := range map[string]struct {
		header map[string]any
		why    string
	}{
		"no kid":               {map[string]any{}, "unknown key"},
		"foreign kid":          {map[string]any{"kid": "somebody"}, "unknown key"},
		"empty kid":            {map[string]any{"kid": ""}, "unknown key"},
		"kid of a file":        {map[string]any{"kid": "../../dev/null"}, "unknown key"},
		"kid is a number":      {map[string]any{"kid": 1}, "unknown key"},
		"kid is a list":        {map[string]any{"kid": []string{good}}, "unknown key"},
		"known kid, other key": {map[string]any{"kid": good}, "wrong signature or algorithm"},
		"jwk (CVE-2025-24976)": {map[string]any{"kid": good, "jwk": jwk}, "wrong signature or algorithm"},
		"jwk without kid":      {map[string]any{"jwk": jwk}, "unknown key"},
		"jku":                  {map[string]any{"kid": good, "jku": "http://127.0.0.1:1/jwks.json"}, "wrong signature or algorithm"},
		"x5u":                  {map[string]any{"kid": good, "x5u": "http://127.0.0.1:1/chain.pem"}, "wrong signature or algorithm"},
		"x5c":                  {map[string]any{"kid": good, "x5c": []string{"AAAA"}}, "wrong signature or algorithm"},
		"crit":                 {map[string]any{"kid": good, "crit": []string{"b64"}, "b64": false}, "critical header extension"},
	} {
		refuses(t, v, name, forge(t, jwt.SigningMethodEdDSA, mine["EdDSA"], tc.header, claims(nil)), tc.why)
	}
	right := forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": good, "crit": []string{"x"}, "x": 1}, claims(nil))
	refuses(t, v, "crit, signed", right, "critical header extension")

	// Of two members kid one is read, by the verifier and by the signature alike.
	parts := strings.Split(forge(t, jwt.SigningMethodEdDSA, mine["EdDSA"], map[string]any{"kid": good}, claims(nil)), ".")
	for _, head := range []string{`{"alg":"EdDSA","kid":"x","kid":"` + good + `"}`, `{"alg":"EdDSA","kid":"` + good + `","kid":"x"}`} {
		text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + parts[1]
		sig, err := jwt.SigningMethodEdDSA.Sign(text, mine["EdDSA"])
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, v, "duplicate kid", text+"."+base64.RawURLEncoding.EncodeToString(sig), "")
	}
}

func TestClaimAttacks(t *testing.T) {
	s := newSetting(t)
	v := s.verifier()
	repo := func(name string) jwt.MapClaims {
		return with("access", []any{map[string]any{"type": "repository", "name": name, "actions": []string{"*"}}})
	}
	for name, tc := range map[string]struct {
		claims jwt.MapClaims
		why    string
	}{
		"expired":                {with("exp", start.Unix()-1), "expired"},
		"expires now":            {with("exp", start.Unix()), "expired"},
		"exp missing":            {with("exp", nil), "exp, iss or aud is missing"},
		"exp null":               {claims(jwt.MapClaims{"exp": json.RawMessage("null")}), "exp, iss or aud is missing"},
		"exp a string":           {with("exp", "2100-01-01"), "malformed"},
		"exp before everything":  {with("exp", -1e300), ""},
		"nbf in the future":      {with("nbf", start.Unix()+2), "not valid yet"},
		"nbf a string":           {with("nbf", "now"), "malformed"},
		"iss missing":            {with("iss", nil), "exp, iss or aud is missing"},
		"iss of another":         {with("iss", "other"), "foreign issuer"},
		"iss alike":              {with("iss", "Berth"), "foreign issuer"},
		"aud missing":            {with("aud", nil), "exp, iss or aud is missing"},
		"aud empty":              {with("aud", []string{}), "exp, iss or aud is missing"},
		"aud of another":         {with("aud", "api"), "foreign audience"},
		"aud part of it":         {with("aud", "registry"), "foreign audience"},
		"no identity":            {with("berth", nil), "unknown kind of principal"},
		"unknown kind":           {with("berth", map[string]any{"kind": "admin"}), "unknown kind of principal"},
		"robot, a user's name":   {with("berth", map[string]any{"kind": "robot"}), "invalid robot"},
		"user, a robot's name":   {with("sub", "robot$ci"), "invalid user name"},
		"robot, admin":           {claims(jwt.MapClaims{"sub": "robot$ci", "berth": map[string]any{"kind": "robot", "admin": true}}), "invalid robot"},
		"robot in a group":       {claims(jwt.MapClaims{"sub": "robot$ci", "berth": map[string]any{"kind": "robot", "groups": []string{"ci"}}}), "invalid robot"},
		"outside, a user's name": {with("berth", map[string]any{"kind": "outside"}), "invalid outside caller"},
		"outside, admin":         {claims(jwt.MapClaims{"sub": "hub:admin", "berth": map[string]any{"kind": "outside", "admin": true}}), "invalid outside caller"},
		"outside in a group":     {claims(jwt.MapClaims{"sub": "hub:x", "berth": map[string]any{"kind": "outside", "groups": []string{"ci"}}}), "invalid outside caller"},
		"own rule, malformed":    {with("berth", map[string]any{"kind": "user", "own": []string{"**"}}), "invalid rule"},
		"ceiling, malformed":     {with("berth", map[string]any{"kind": "user", "narrowed": true, "within": []string{"a:read"}}), "invalid rule"},
		"ceiling, not narrowed":  {with("berth", map[string]any{"kind": "user", "within": []string{"a:pull"}}), "a ceiling that does not narrow"},
		"too many rules":         {with("berth", map[string]any{"kind": "user", "own": strings.Fields(strings.Repeat("a:pull ", auth.MaxRules+1))}), "invalid rule"},
		"anonymous with rules":   {claims(jwt.MapClaims{"sub": "", "berth": map[string]any{"kind": "anonymous", "own": []string{"a:pull"}}}), "anonymous with an identity"},
		"anonymous, narrowed":    {claims(jwt.MapClaims{"sub": "", "berth": map[string]any{"kind": "anonymous", "narrowed": true}}), "anonymous with an identity"},
		"anonymous, credential":  {claims(jwt.MapClaims{"sub": "", "berth": map[string]any{"kind": "anonymous", "credential": "x"}}), "anonymous with an identity"},
		"identity a string":      {with("berth", "user"), "malformed"},
		"user without a name":    {with("sub", ""), "invalid user name"},
		"user with a bad name":   {with("sub", "a/b"), "invalid user name"},
		"user is a pattern":      {with("sub", "**"), "invalid user name"},
		"anonymous with a name":  {with("berth", map[string]any{"kind": "anonymous"}), "anonymous with an identity"},
		"anonymous in a group":   {claims(jwt.MapClaims{"sub": "", "berth": map[string]any{"kind": "anonymous", "groups": []string{"ci"}}}), "anonymous with an identity"},
		"anonymous, admin":       {claims(jwt.MapClaims{"sub": "", "berth": map[string]any{"kind": "anonymous", "admin": true}}), "anonymous with an identity"},
		"access a string":        {with("access", "repository:a:*"), "malformed"},
		"access actions string":  {with("access", []any{map[string]any{"type": "repository", "name": "a", "actions": "*"}}), "malformed"},
		"repository upper case":  {repo("A/b"), "invalid repository name"},
		"repository dots":        {repo("a/../b"), "invalid repository name"},
		"repository pattern":     {repo("**"), "invalid repository name"},
		"repository empty":       {repo(""), "invalid repository name"},
		"repository too long":    {repo(strings.Repeat("a", 256)), "invalid repository name"},
		"repository with a port": {repo("host:5000/a"), "invalid repository name"},
	} {
		raw := forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, tc.claims)
		refuses(t, v, name, raw, tc.why)
	}
}

func TestShapeAttacks(t *testing.T) {
	s := newSetting(t)
	v := s.verifier()
	raw := forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, claims(nil))
	parts := strings.Split(raw, ".")
	huge := claims(jwt.MapClaims{"pad": strings.Repeat("x", token.MaxToken)})
	for name, bad := range map[string]string{
		"empty":              "",
		"dots":               "..",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         raw + ".",
		"no signature":       parts[0] + "." + parts[1] + ".",
		"signature cut":      raw[:len(raw)-4],
		"signature changed":  raw[:len(raw)-5] + flip(raw[len(raw)-5]) + raw[len(raw)-4:],
		"padding":            raw + "==",
		"space":              raw + " ",
		"header cut":         parts[0][4:] + "." + parts[1] + "." + parts[2],
		"claims cut":         parts[0] + "." + parts[1][4:] + "." + parts[2],
		"header is a list":   "W10." + parts[1] + "." + parts[2],
		"header is null":     "bnVsbA." + parts[1] + "." + parts[2],
		"claims are null":    parts[0] + ".bnVsbA." + parts[2],
		"zero bytes":         strings.Repeat("\x00", 100),
		"huge, signed":       forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, huge),
		"huge":               strings.Repeat("a", 10<<20),
		"huge number in exp": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":`+strings.Repeat("9", 40_000)+`}`)) + "." + parts[2],
		"deep":               parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 40_000))) + "." + parts[2],
		"claims exchanged":   parts[0] + "." + strings.Split(forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], nil, with("sub", "root")), ".")[1] + "." + parts[2],
	} {
		refuses(t, v, name, bad, "")
	}
	for n := range len(raw) {
		if _, err := v.Verify(raw[:n], start); !errors.Is(err, auth.ErrInvalidToken) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := v.Verify(raw, start); err != nil {
		t.Errorf("all of it: %v", err)
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// Another last character of base64 can decode to the same bytes. The token has
// one spelling all the same.
func TestOneSpelling(t *testing.T) {
	s := newSetting(t)
	v := s.verifier()
	raw := forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, claims(nil))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	good := 0
	for _, c := range alphabet {
		if _, err := v.Verify(raw[:len(raw)-1]+string(c), start); err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d spellings", good)
	}
}

// Keys that were loaded pin the algorithms: with an Ed25519 key only, ES256 is
// refused before a key is looked for.
func TestOnlyTheAlgorithmsOfTheKeys(t *testing.T) {
	s := newSetting(t)
	v := token.NewVerifier(load(t), issuer, service)
	raw := forge(t, jwt.SigningMethodES256, s.keys["ES256"], map[string]any{"kid": s.ids["ES256"]}, claims(nil))
	refuses(t, v, "ES256", raw, "wrong signature or algorithm")
}

func TestUnconfiguredRefuses(t *testing.T) {
	keys := load(t)
	for _, names := range [][2]string{{"", ""}, {issuer, ""}, {"", service}} {
		i := newIssuer(keys)
		i.Issuer, i.Service = names[0], names[1]
		refuses(t, token.NewVerifier(keys, names[0], names[1]), "no names", issue(t, i, alice()), "no issuer or service is configured")
	}
}

func TestWeakKeysAreRefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{small, p384} {
		if _, err := token.Load([]string{store(t, key)}); err == nil {
			t.Errorf("%T is accepted", key)
		}
	}
}

// FuzzToken checks that no bytes but the genuine token are accepted.
func FuzzToken(f *testing.F) {
	s := newSetting(f)
	v := s.verifier()
	raw := forge(f, jwt.SigningMethodEdDSA, s.keys["EdDSA"], map[string]any{"kid": s.ids["EdDSA"]}, claims(nil))
	f.Add(raw)
	f.Add(forge(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": s.ids["EdDSA"]}, claims(nil)))
	f.Add(forge(f, jwt.SigningMethodHS256, []byte("secret"), map[string]any{"kid": s.ids["RS256"]}, claims(nil)))
	f.Add(forge(f, jwt.SigningMethodES256, s.keys["ES256"], map[string]any{"kid": s.ids["ES256"]}, with("exp", nil)))
	f.Add("a.b.c")
	f.Add("..")
	f.Add("eyJhbGciOiJFZERTQSJ9.bnVsbA.")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := v.Verify(text, start)
		if err == nil && text != raw {
			t.Errorf("accepted: %q as %v", text, p)
		}
		if err != nil && (!errors.Is(err, auth.ErrInvalidToken) || p.Token || p.Kind != auth.Anonymous) {
			t.Errorf("%v beside %v", p, err)
		}
	})
}
