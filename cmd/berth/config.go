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
	c, _, err := check(cmd)
	return c, err
}

// check is load with notes about what it has read.
func check(cmd *cobra.Command) (config.Config, config.Problems, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Config{}, nil, err
	}
	c, notes, err := config.Check(path, os.Environ())
	if problems := (config.Problems)(nil); errors.As(err, &problems) {
		return c, nil, fmt.Errorf("the configuration has %d problem(s):\n%w", len(problems), err)
	}
	return c, notes, err
}

func checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check-config",
		Short: "Check the configuration and print every problem",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, notes, err := check(cmd)
			if err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintln(cmd.OutOrStdout(), "note:", n)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "The configuration is good.")
			return err
		},
	}
}
