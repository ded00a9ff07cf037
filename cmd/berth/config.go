package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/config"
)

// load reads the configuration that a command was given.
func load(cmd *cobra.Command) (config.Config, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(path, os.Environ())
	if problems := (config.Problems)(nil); errors.As(err, &problems) {
		return c, fmt.Errorf("the configuration has %d problem(s):\n%w", len(problems), err)
	}
	return c, err
}

func checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check-config",
		Short: "Check the configuration and print every problem",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := load(cmd); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "The configuration is good.")
			return err
		},
	}
}
