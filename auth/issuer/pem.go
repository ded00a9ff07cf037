package issuer

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/auth/internal/jwk"
)

// parsePEM reads certificates and public keys, which is what most token servers
// of registries are configured by (distribution's rootcertbundle). Of a
// certificate only the key counts. An id is computed in both ways that such
// servers do.
func parsePEM(data []byte) ([]key, error) {
	var keys []key
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		public, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("there are more than %d keys in it", maxKeys)
		}
		if a := algorithmsOf(public); a != nil {
			keys = append(keys, key{ids: idsOf(public), algorithms: a, public: public})
		}
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate in it cannot be read")
		}
		return c.PublicKey, nil
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("a public key in it cannot be read")
		}
		return public, nil
	}
	return nil, fmt.Errorf("it holds a %q, where certificates and public keys belong", block.Type)
}

// idsOf returns the thumbprint (RFC 7638; distribution 3) and the id of
// libtrust (distribution 2, docker_auth): the first 240 bits of the SHA-256 of
// the key in DER, in base32, with a colon after every four characters.
func idsOf(public crypto.PublicKey) []string {
	var ids []string
	if m, err := jwk.Of(public); err == nil {
		ids = append(ids, m.Thumbprint())
	}
	if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
		sum := sha256.Sum256(der)
		text := base32.StdEncoding.EncodeToString(sum[:30])
		var groups []string
		for ; text != ""; text = text[4:] {
			groups = append(groups, text[:4])
		}
		ids = append(ids, strings.Join(groups, ":"))
	}
	return ids
}
