// Command berth is a private image registry in one binary. Each of its
// commands is a file here: flags -> config -> wire -> run.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "unknown"

func main() {
	if err := root().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "berth:", err)
		os.Exit(1)
	}
}

// root is the command line. Every command finds the configuration by
// --config, or BERTH_CONFIG.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "berth",
		Short:         "A private image registry",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().String("config", defaultConfig(), "configuration file")
	cmd.AddCommand(
		serveCommand(), checkConfigCommand(), userCommand(), robotCommand(), tokenCommand(), htpasswdCommand(),
		explainCommand(), limitsCommand(), usageCommand(), auditCommand(), versionCommand(),
	)
	return cmd
}

func defaultConfig() string {
	if path := os.Getenv("BERTH_CONFIG"); path != "" {
		return path
	}
	return "config.yaml"
}
