package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/berth-registry/berth/auth/internal/jwk"
	"github.com/berth-registry/berth/auth/internal/reason"
	"github.com/berth-registry/berth/auth/internal/secret"
	"github.com/golang-jwt/jwt/v5"
)

// Keys are the token keys in force, which a reload replaces: the first signs,
// all verify.
type Keys struct{ ring atomic.Pointer[ring] }

// ring is a set of keys. It does not change.
type ring struct {
	signs      *key
	byID       map[string]*key
	order      []*key
	algorithms []string // of the keys, for jwt.WithValidMethods
}

// Load reads the keys from files, each one PKCS#8 private key in PEM: Ed25519
// (EdDSA), P-256 (ES256) or RSA of at least 2048 bits (RS256). If the first
// file is absent it is created with a new Ed25519 key, mode 0600, durably; two
// processes that start at once agree on one. The others must be there. An error
// names the file and nothing of the key.
func Load(paths []string) (*Keys, error) {
	if len(paths) == 0 {
		return nil, errors.New("token keys: no file is named")
	}
	if err := createIfAbsent(paths[0]); err != nil {
		return nil, fmt.Errorf("create token key %s: %w", paths[0], err)
	}
	r := &ring{byID: make(map[string]*key)}
	for _, path := range paths {
		k, err := loadKey(path)
		if err != nil {
			return nil, fmt.Errorf("token key %s: %w", path, err)
		}
		if err := r.add(k); err != nil {
			return nil, fmt.Errorf("token key %s: %w", path, err)
		}
	}
	keys := new(Keys)
	keys.ring.Store(r)
	return keys, nil
}

// Replace puts the keys of another set in force. What was verified by a key
// that is gone is no more, also where it was remembered.
func (k *Keys) Replace(by *Keys) { k.ring.Store(by.ring.Load()) }

func createIfAbsent(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // there, or unreadable: loadKey says it
	}
	data, err := generate()
	if err != nil {
		return err
	}
	if err := secret.Create(path, data); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func loadKey(path string) (*key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%w; nothing in it was changed. Restore a backup of it, or move it away: "+
			"berth serve makes a new first key, and tokens of the old one end", err)
	}
	return k, nil
}

// add refuses the same key twice: one of the two files would then be thought
// to be something else.
func (r *ring) add(next *key) error {
	if r.byID[next.id] != nil {
		return errors.New("this key is in the list already")
	}
	if r.signs == nil {
		r.signs = next
	}
	r.byID[next.id] = next
	r.order = append(r.order, next)
	r.algorithms = append(r.algorithms, next.method.Alg())
	return nil
}

// find returns the public half of the key that a header names. The key's own
// algorithm must be the header's: an RSA key is no secret for HS256. Critical
// extensions are refused, because none is understood (RFC 7515, section
// 4.1.11).
func (r *ring) find(t *jwt.Token) (any, error) {
	if _, has := t.Header["crit"]; has {
		return nil, reason.ErrCritical
	}
	id, _ := t.Header["kid"].(string)
	key := r.byID[id]
	if key == nil {
		return nil, reason.ErrUnknownKey
	}
	if t.Method != key.method {
		return nil, reason.ErrAlgorithm
	}
	return key.public, nil
}

// JWKS returns the public keys as a JWK Set in JSON, for
// /.well-known/jwks.json. The first signs.
func (k *Keys) JWKS() []byte {
	var set jwk.Set
	for _, key := range k.ring.Load().order {
		m, _ := jwk.Of(key.public) // newKey has done it without error
		set.Keys = append(set.Keys, jwk.Key{Members: m, ID: key.id, Algorithm: key.method.Alg(), Use: "sig"})
	}
	data, _ := json.Marshal(set) // strings, which cannot fail
	return data
}
