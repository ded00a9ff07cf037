package server

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Distribution is the module, command and version that berth is compared with.
const (
	distributionModule  = "github.com/distribution/distribution/v3"
	distributionCommand = distributionModule + "/cmd/registry"
	DistributionVersion = "v3.1.2"
)

// Workshop makes the programs.
type Workshop struct {
	Root    string // berth's repository
	Scratch string // where what is built for one run goes
	Berth   string // a binary to take instead of building one, or ""
	Symbols bool   // leave the symbols in berth, for profiles
}

// Programs returns the programs of the given names, built.
func (w Workshop) Programs(ctx context.Context, names []string) ([]Program, error) {
	var programs []Program
	for _, name := range names {
		p, err := w.program(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		programs = append(programs, p)
	}
	return programs, nil
}

func (w Workshop) program(ctx context.Context, name string) (Program, error) {
	switch name {
	case "floor":
		bin := filepath.Join(w.Scratch, "floor")
		return floor(bin), w.build(ctx, filepath.Join(w.Root, "bench"), bin, "./floor", true)
	case "distribution":
		bin, err := w.Distribution(ctx)
		return distribution(bin, filepath.Join(w.Root, "bench", "distribution.yaml")), err
	case "berth", "berth-quiet":
		bin, err := w.berth(ctx)
		return berth(name, bin, filepath.Join(w.Root, "bench", "berth.yaml")), err
	}
	return Program{}, errors.New("no such server; there are floor, distribution, berth and berth-quiet")
}

// berth is built as `make build` does.
func (w Workshop) berth(ctx context.Context) (string, error) {
	if w.Berth != "" {
		return filepath.Abs(w.Berth)
	}
	bin := filepath.Join(w.Scratch, "berth")
	return bin, w.build(ctx, w.Root, bin, "./cmd/berth", !w.Symbols)
}

func (w Workshop) build(ctx context.Context, dir, bin, pkg string, strip bool) error {
	args := []string{"build", "-trimpath", "-o", bin}
	if strip {
		args = append(args, "-ldflags", "-s -w")
	}
	return run(ctx, dir, []string{"CGO_ENABLED=0"}, append(args, pkg)...)
}

// Distribution returns distribution's binary in .tools; it is installed unless it is there in the right version.
func (w Workshop) Distribution(ctx context.Context) (string, error) {
	tools, err := filepath.Abs(filepath.Join(w.Root, ".tools"))
	if err != nil {
		return "", err
	}
	bin := filepath.Join(tools, "registry")
	info, err := buildinfo.ReadFile(bin)
	if err == nil && info.Main.Path == distributionModule && info.Main.Version == DistributionVersion {
		return bin, nil
	}
	fmt.Fprintf(os.Stderr, "installing %s@%s\n", distributionCommand, DistributionVersion)
	return bin, run(ctx, "", []string{"GOBIN=" + tools, "GOFLAGS="}, "install", distributionCommand+"@"+DistributionVersion)
}

func run(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
