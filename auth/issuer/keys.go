package issuer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/berth-registry/berth/auth/internal/jwk"
	"github.com/berth-registry/berth/auth/internal/reason"
	"github.com/golang-jwt/jwt/v5"
)

const (
	maxKeys = 100  // of one issuer
	minRSA  = 2048 // bits (RFC 7518, section 3.3)
)

// algorithms are all that a token may be signed by.
var algorithms = []string{"EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512"}

// key is a public key of an issuer.
type key struct {
	ids        []string
	named      bool     // the issuer itself gave it its id
	algorithms []string // that it is for
	public     crypto.PublicKey
}

// keySet are the keys of an issuer. It does not change.
type keySet struct {
	keys []key
	sum  [sha256.Size]byte // of the document
}

// parseKeys reads a JWK Set (RFC 7517, section 5) or PEM. Keys of the set that
// are none of ours are left out; an error if no key remains.
func parseKeys(data []byte) (*keySet, error) {
	set := &keySet{sum: sha256.Sum256(data)}
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		set.keys, err = parseJWKS(data)
	} else {
		set.keys, err = parsePEM(data)
	}
	if err != nil {
		return nil, err
	}
	if len(set.keys) == 0 {
		return nil, errors.New("there is no key in it that verifies tokens: Ed25519, P-256, P-384, or RSA of 2048 to 8192 bits")
	}
	return set, nil
}

func parseJWKS(data []byte) ([]key, error) {
	var document struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, errors.New("it is no JWK Set")
	}
	if len(document.Keys) > maxKeys {
		return nil, fmt.Errorf("there are more than %d keys in it", maxKeys)
	}
	var keys []key
	for _, raw := range document.Keys {
		if k, ok := parseJWK(raw); ok {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// published is a key as others publish it, with what may be said about its use.
type published struct {
	jwk.Key
	Operations []string `json:"key_ops"`
	Private    string   `json:"d"`
}

// parseJWK is false for a key that verifies no tokens: of another type, too
// short, for encryption, or private, which is not private any more.
func parseJWK(raw json.RawMessage) (key, bool) {
	var p published
	if json.Unmarshal(raw, &p) != nil || p.Private != "" {
		return key{}, false
	}
	if p.Use != "" && p.Use != "sig" || p.Operations != nil && !slices.Contains(p.Operations, "verify") {
		return key{}, false
	}
	public, err := p.PublicKey()
	if err != nil {
		return key{}, false
	}
	k := key{public: public, algorithms: algorithmsOf(public)}
	if p.ID != "" {
		k.ids, k.named = []string{p.ID}, true
	}
	switch {
	case p.Algorithm == "Ed25519": // RFC 9864 calls EdDSA with this curve so
	case p.Algorithm != "":
		k.algorithms = slices.DeleteFunc(k.algorithms, func(a string) bool { return a != p.Algorithm })
	}
	return k, len(k.algorithms) > 0
}

// algorithmsOf lists what a key can verify; none for one that is none of ours.
func algorithmsOf(public crypto.PublicKey) []string {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSA {
			return []string{"RS256", "RS384", "RS512"}
		}
	}
	return nil
}

// find returns what a token with this kid and algorithm is verified by: keys
// of that id; else, and also without a kid, the only one that fits, unless the
// issuer calls it by another id. errNoKeys, or reason.ErrUnknownKey if there
// may be such a key by now, or reason.ErrAlgorithm.
func (s *keySet) find(id, algorithm string) (any, error) {
	if s == nil {
		return nil, errNoKeys
	}
	var named, others []jwt.VerificationKey
	known := false
	for _, k := range s.keys {
		called := id != "" && slices.Contains(k.ids, id)
		known = known || called
		switch {
		case !slices.Contains(k.algorithms, algorithm):
		case called:
			named = append(named, k.public)
		case id == "" || !k.named:
			others = append(others, k.public)
		}
	}
	switch {
	case len(named) > 0:
		return jwt.VerificationKeySet{Keys: named}, nil
	case known:
		return nil, reason.ErrAlgorithm
	case len(others) == 1:
		return others[0], nil
	}
	return nil, reason.ErrUnknownKey
}
