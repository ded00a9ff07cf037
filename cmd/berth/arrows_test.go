package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/berth-registry/berth/"

// arrows says which packages of berth each package may depend on, directly or
// not. An edit that needs a new arrow has to write it down here, where a
// reviewer sees it.
var arrows = map[string][]string{
	"oci":                {},
	"internal/durable":   {},
	"internal/httpx":     {},
	"config":             {"auth", "oci", "auth/ldap", "auth/internal/cache", "auth/internal/proof", "ratelimit"}, // one grammar of names, filters and limits
	"storage":            {"oci"},
	"storage/filesystem": {"oci", "storage", "internal/durable"},
	"metadata":           {"oci", "storage"},
	"metadata/bolt":      {"oci", "storage", "metadata"},
	"registry":           {"oci", "storage", "metadata"},
	"auth":               {"oci"},
	"auth/token":         {"oci", "auth", "auth/internal/cache", "auth/internal/jwk", "auth/internal/reason", "auth/internal/secret", "internal/durable"},
	"auth/issuer":        {"oci", "auth", "auth/internal/cache", "auth/internal/jwk", "auth/internal/reason"},
	"auth/account":       {"oci", "auth", "auth/internal/cache", "auth/internal/proof", "auth/internal/secret", "internal/durable", "metadata", "storage"},
	"auth/robot":         {"oci", "auth", "auth/internal/cache", "auth/internal/lastuse", "auth/internal/secret", "internal/durable", "metadata", "storage"},
	"auth/personal":      {"oci", "auth", "auth/internal/cache", "auth/internal/lastuse", "auth/internal/secret", "internal/durable", "metadata", "storage"},
	"auth/ldap":          {"oci", "auth", "auth/internal/cache", "auth/internal/proof"},
	"auth/oidc":          {"oci", "auth"},
	"auth/clientcert":    {"oci", "auth"},
	"auth/guess":         {"oci", "auth", "auth/internal/proof"},
	"audit":              {"oci", "auth"},
	"ratelimit":          {},
	"ratelimit/memory":   {"ratelimit", "internal/durable"},
	"ratelimit/redis":    {"ratelimit"},
	"ratelimit/pulls":    {"oci", "storage", "metadata", "auth", "ratelimit", "ratelimit/memory", "internal/durable"},
	"ratelimit/usage":    {"oci", "storage", "metadata", "auth"},
	"server":             {"oci", "storage", "metadata", "registry", "auth", "audit", "ratelimit", "internal/httpx"},
	"api":                {"oci", "storage", "metadata", "auth", "auth/account", "auth/robot", "auth/personal", "auth/internal/cache", "auth/internal/lastuse", "auth/internal/proof", "auth/internal/secret", "internal/durable", "audit", "ratelimit", "ratelimit/memory", "ratelimit/pulls", "ratelimit/usage"},
}

// strangers are modules that a package must not know, however indirectly.
var strangers = map[string][]string{
	"server":           {"go.etcd.io/bbolt", "github.com/go-ldap/ldap", "github.com/coreos/go-oidc", "golang.org/x/oauth2", "github.com/golang-jwt/jwt", "github.com/jackc/pgx", "github.com/minio/minio-go", "github.com/redis/go-redis", "html/template"},
	"registry":         {"net/http", "go.etcd.io/bbolt"},
	"storage":          {"net/http"},
	"ratelimit":        {"net/http"},
	"ratelimit/memory": {"net/http"},
	"metadata":         {"net/http"},
	"auth":             {"github.com/golang-jwt/jwt", "github.com/go-ldap/ldap", "github.com/coreos/go-oidc", "golang.org/x/crypto/bcrypt", "go.etcd.io/bbolt"},
	"oci":              {"net/http"},
}

func TestArrows(t *testing.T) {
	for pkg, allowed := range arrows {
		deps := list(t, "-deps", module+pkg)
		for _, dep := range deps {
			own, ok := strings.CutPrefix(dep, module)
			if ok && own != pkg && !slices.Contains(allowed, own) {
				t.Errorf("%s depends on %s", pkg, own)
			}
			for _, stranger := range strangers[pkg] {
				if dep == stranger || strings.HasPrefix(dep, stranger+"/") {
					t.Errorf("%s depends on %s", pkg, dep)
				}
			}
		}
	}
}

// TestEveryPackageIsKnown keeps the table complete, and every package with a
// comment that says what it is for.
func TestEveryPackageIsKnown(t *testing.T) {
	for _, line := range list(t, "-f", "{{.ImportPath}} {{.Doc}}", module+"...") {
		path, doc, _ := strings.Cut(line, " ")
		own := strings.TrimPrefix(path, module)
		_, known := arrows[own]
		if !known && own != "cmd/berth" && !strings.HasSuffix(own, "test") && !strings.Contains(own, "/internal/") {
			t.Errorf("%s is in no arrow", own)
		}
		if doc == "" {
			t.Errorf("%s has no package comment", own)
		}
	}
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
