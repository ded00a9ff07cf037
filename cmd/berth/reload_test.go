package main

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/config"
)

// TestReloadOfGrants: a bad grant is said with its line and itself, and
// nothing changes; a good one counts from then on.
func TestReloadOfGrants(t *testing.T) {
	i := newInstance(t)
	i.write(t, "authenticated", "")
	log, level := new(bytes.Buffer), new(slog.LevelVar)
	logger := slog.New(slog.NewTextHandler(log, nil))
	r, _ := i.wired(t, logger)
	base, err := os.ReadFile(i.file)
	if err != nil {
		t.Fatal(err)
	}
	kept, _, _ := strings.Cut(string(base), ", grants")
	reload := func(grants string) string {
		t.Helper()
		// The first grant is on line 7, its repositories on line 8.
		text := kept + ", grants: [\n" + grants + "]}\n"
		if err := os.WriteFile(i.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		r.reload(func() (config.Config, error) { return config.Load(i.file, nil) }, level, logger)
		return log.String()
	}
	before := r.policy.Load()
	for _, bad := range []struct{ who, repositories, says string }{
		{`"robot:CI"`, `"**"`, `:7:`},
		{`"robot:a*"`, `"**"`, `robot:a*`},
		{`10.0.0.1/8`, `"**"`, `must be 10.0.0.0/8`},
		{`10.0.0.1`, `"**"`, `10.0.0.1`},
		{`"issuer:gitlab"`, `"**"`, `issuer:gitlab`},
		{`"robot:*"`, `"team/**x"`, `:8:`},
		{`"robot:*"`, `"team/**x"`, `**x`},
		{`"10.0.0.0/8"`, `"Team/**"`, `Team`},
	} {
		said := reload("{who: [anonymous, " + bad.who + "],\n repositories: [" + bad.repositories + "], actions: [pull]}")
		if !strings.Contains(said, bad.says) || !strings.Contains(said, "the old one stays") || r.policy.Load() != before {
			t.Errorf("%s on %s: %s", bad.who, bad.repositories, said)
		}
	}
	said := reload(`{who: ["robot:*"], repositories: ["cache/**"], actions: [push]}, {who: [10.0.0.0/8], repositories: ["inside/**"], actions: [pull]}`)
	if !strings.Contains(said, "configuration reloaded") {
		t.Fatal(said)
	}
	inside := auth.Principal{Client: netip.MustParseAddr("10.1.2.3")}
	if p := r.policy.Load(); !p.Decide(auth.Principal{Kind: auth.Robot, Name: "ci"}, "cache/a", auth.Push).Allowed || !p.Decide(inside, "inside/a", auth.Pull).Allowed {
		t.Error("the new grants are not in force")
	}
}

// wired makes what a process serves with, of the configuration as it stands.
func (i *instance) wired(t *testing.T, log *slog.Logger) (*running, config.Config) {
	t.Helper()
	c, err := config.Load(i.file, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire(c, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return r, c
}
