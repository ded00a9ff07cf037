package auth_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestCheckKeysURL(t *testing.T) {
	for _, good := range []string{
		"https://issuer.example/keys", "https://issuer.example:8443/keys?v=1", "https://10.0.0.1/keys", "HTTPS://issuer.example/",
		"http://127.0.0.1:1/keys", "http://127.8.8.8/keys", "http://[::1]:1/keys", "http://[::ffff:127.0.0.1]/keys", "http://localhost/keys",
	} {
		if err := auth.CheckKeysURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/keys", "keys.json", "https:", "https:///keys", "https:keys", "file:///etc/keys", "ftp://127.0.0.1/keys", "://x", "https://a b/",
		"http://issuer.example/keys", "http://10.0.0.1/keys", "http://0.0.0.0/keys", "http://[::]/keys", "http://169.254.169.254/keys",
		"http://localhost.example/keys", "http://127.0.0.1.example/keys", "http://127.1/keys", "http://2130706433/keys",
		"https://alice:secret@issuer.example/keys", "https://alice@issuer.example/", "http://localhost@issuer.example/keys", "https://issuer.example/keys#x", "https://issuer.example/keys#", "https://issuer.example:/keys",
	} {
		if err := auth.CheckKeysURL(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCheckIssuerURL(t *testing.T) {
	for _, good := range []string{"https://id.example.org", "https://id.example.org/realms/x/", "http://localhost:9998/", "http://127.0.0.1", "http://[::1]:1"} {
		if err := auth.CheckIssuerURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "id.example.org", "http://id.example.org", "http://10.0.0.1", "https://u:secret@h", "https://h?x", "https://h?", "https://h#", "ldap://h",
	} {
		if err := auth.CheckIssuerURL(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
