package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/auth/token"
)

func TestLoadCreatesTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "token.key")
	keys := load(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	data, _ := os.ReadFile(path)
	block, _ := pem.Decode(data)
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		t.Error(err)
	} else if _, ok := key.(ed25519.PrivateKey); !ok {
		t.Errorf("%T", key)
	}
	if again := load(t, path); keyID(t, again) != keyID(t, keys) {
		t.Error("the second start has another key")
	}
}

func TestLoadAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.key")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if keys, err := token.Load([]string{path}); err != nil {
				t.Error(err)
			} else {
				ids[i] = keyID(t, keys)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("several keys: %v", ids)
		}
	}
}

// Rotation: a new file before the old one signs, both verify.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	older, newer := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	before := load(t, older)
	raw := issue(t, newIssuer(before), alice())
	during := load(t, newer, older)
	fresh := issue(t, newIssuer(during), alice())
	after := load(t, newer)
	for _, tc := range []struct {
		name string
		keys *token.Keys
		raw  string
		ok   bool
	}{
		{"old by both", during, raw, true}, {"new by both", during, fresh, true},
		{"new by new", after, fresh, true}, {"old by new", after, raw, false}, {"new by old", before, fresh, false},
	} {
		if _, err := token.NewVerifier(tc.keys, issuer, service).Verify(tc.raw, start); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(dir, "good")
	load(t, good)
	pemGood, _ := os.ReadFile(good)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	sec1, _ := x509.MarshalECPrivateKey(ec)
	public, _ := x509.MarshalPKIXPublicKey(ec.Public())
	for name, paths := range map[string][]string{
		"no file":           nil,
		"empty":             {write("empty", nil)},
		"text":              {write("text", []byte("secret"))},
		"cut":               {write("cut", pemGood[:len(pemGood)/2])},
		"two keys":          {write("two", append(bytes.Clone(pemGood), pemGood...))},
		"SEC1":              {write("sec1", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))},
		"public":            {write("public", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))},
		"garbage":           {write("garbage", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))},
		"a directory":       {dir},
		"the same twice":    {good, good},
		"a copy":            {good, write("copy", pemGood)},
		"the second absent": {good, filepath.Join(dir, "absent")},
	} {
		keys, err := token.Load(paths)
		if err == nil || keys != nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "absent")); err == nil {
		t.Error("a second key was created")
	}
}

func TestJWKS(t *testing.T) {
	s := newSetting(t)
	for alg, key := range s.keys {
		var set struct{ Keys []map[string]string }
		if err := json.Unmarshal(load(t, store(t, key)).JWKS(), &set); err != nil || len(set.Keys) != 1 {
			t.Fatal(err)
		}
		k := set.Keys[0]
		want := map[string]string{"kid": s.ids[alg], "alg": alg, "use": "sig"}
		b64 := base64.RawURLEncoding.EncodeToString
		switch key := key.(type) {
		case ed25519.PrivateKey:
			want["kty"], want["crv"], want["x"] = "OKP", "Ed25519", b64(key.Public().(ed25519.PublicKey))
		case *ecdsa.PrivateKey:
			point, _ := key.PublicKey.Bytes()
			want["kty"], want["crv"], want["x"], want["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
		case *rsa.PrivateKey:
			want["kty"], want["n"], want["e"] = "RSA", b64(key.N.Bytes()), "AQAB"
		}
		if fmt.Sprint(k) != fmt.Sprint(want) {
			t.Errorf("\n got %v\nwant %v", k, want)
		}
	}
}

// The kid of keys whose coordinates begin with a zero, which distribution had
// wrong.
func TestThumbprintPadding(t *testing.T) {
	found := 0
	for range 20_000 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, _ := key.PublicKey.Bytes()
		if point[1] != 0 && point[33] != 0 {
			continue
		}
		b64 := base64.RawURLEncoding.EncodeToString
		text := fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, b64(point[1:33]), b64(point[33:]))
		sum := sha256.Sum256([]byte(text))
		keys := load(t, store(t, key))
		if got := keyID(t, keys); got != b64(sum[:]) {
			t.Errorf("%s: %s", text, got)
		}
		raw := issue(t, newIssuer(keys), alice())
		if _, err := token.NewVerifier(keys, issuer, service).Verify(raw, start); err != nil {
			t.Error(err)
		}
		if found++; found == 3 {
			return
		}
	}
	t.Error("no such key was found")
}

// TestRotationWhileServing is what an administrator does: a second key is made known, then
// it signs, then the first goes. Nobody is refused but by the last step, and
// that at once, also what is remembered.
func TestRotationWhileServing(t *testing.T) {
	old, next := filepath.Join(t.TempDir(), "old.key"), filepath.Join(t.TempDir(), "new.key")
	load(t, next) // makes it
	keys := load(t, old)
	v, i := token.NewVerifier(keys, issuer, service), newIssuer(keys)
	first := issue(t, i, alice())
	oldID, newID := keyID(t, keys), keyID(t, load(t, next))
	for _, step := range []struct {
		files    []string
		signs    string
		firstHas string // why the first token is refused
	}{
		{[]string{old, next}, oldID, ""},
		{[]string{next, old}, newID, ""},
		{[]string{next}, newID, "invalid token: unknown key"},
	} {
		keys.Replace(load(t, step.files...))
		raw := issue(t, i, alice())
		if kid := part(t, raw, 0)["kid"]; kid != step.signs || keyID(t, keys) != step.signs {
			t.Errorf("%v: signed by %v, published %s first", step.files, kid, keyID(t, keys))
		}
		if n := strings.Count(string(keys.JWKS()), `"kid"`); n != len(step.files) {
			t.Errorf("%v: %d keys are published", step.files, n)
		}
		for range 2 {
			if _, err := v.Verify(raw, start); err != nil {
				t.Errorf("%v: %v", step.files, err)
			}
			if _, err := v.Verify(first, start); text(err) != step.firstHas {
				t.Errorf("%v: the first token: %v", step.files, err)
			}
		}
	}
}

// TestReplaceWhileVerifying leaves nothing in memory that is no longer good.
func TestReplaceWhileVerifying(t *testing.T) {
	keys, gone := load(t), load(t)
	raw := issue(t, newIssuer(gone), alice())
	v := token.NewVerifier(keys, issuer, service)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				_, _ = v.Verify(raw, start)
			}
		})
	}
	good := load(t)
	for range 50 {
		keys.Replace(gone)
		keys.Replace(good)
	}
	all.Wait()
	refuses(t, v, "of a key that is gone", raw, "unknown key")
}
