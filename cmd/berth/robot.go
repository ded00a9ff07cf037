package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
)

// robotCommand manages the robots of a running server.
func robotCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "robot", Short: "Manage robots of the running server"}
	serverFlags(cmd)
	cmd.AddCommand(robotAddCommand(), robotListCommand(), robotSecretCommand(),
		robotChangeCommand("remove", "Remove a robot", func(c *api.Client, cmd *cobra.Command, name string) error {
			return c.RemoveRobot(cmd.Context(), name)
		}),
		robotChangeCommand("disable", "Disable a robot, at once", func(c *api.Client, cmd *cobra.Command, name string) error {
			return c.DisableRobot(cmd.Context(), name, true)
		}),
		robotChangeCommand("enable", "Enable a robot that was disabled", func(c *api.Client, cmd *cobra.Command, name string) error {
			return c.DisableRobot(cmd.Context(), name, false)
		}))
	return cmd
}

func robotAddCommand() *cobra.Command {
	var n api.NewRobot
	var expires string
	cmd := &cobra.Command{
		Use:     "add NAME --grant PATTERN:ACTIONS...",
		Short:   "Add a robot and show its secret, this once",
		Example: "  berth robot add ci --grant 'team/**:pull,push' --expires 90d",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			n.Name = args[0]
			if n.Expires, err = expiry(expires, time.Now()); err != nil {
				return err
			}
			client, err := connectToMake(cmd)
			if err != nil {
				return err
			}
			made, err := client.AddRobot(cmd.Context(), n)
			if err != nil {
				return err
			}
			return printRobot(cmd, made)
		},
	}
	cmd.Flags().StringArrayVar(&n.Rules, "grant", nil, "what it may, PATTERN:ACTIONS, beside what auth.grants say of robots; may be repeated")
	cmd.Flags().StringVar(&expires, "expires", "", "for how long it is good, such as 90d; for ever if empty")
	outputFlag(cmd)
	return cmd
}

func robotSecretCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret NAME",
		Short: "Give a robot another secret and show it, this once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connectToMake(cmd)
			if err != nil {
				return err
			}
			made, err := client.RenewRobot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return printRobot(cmd, made)
		},
	}
	outputFlag(cmd)
	return cmd
}

// printRobot writes the secret alone to standard output, where a script can
// take it from.
func printRobot(cmd *cobra.Command, made api.MadeRobot) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "It logs in as '%s' with this secret, which is shown once:\n", made.Login)
	return output(cmd, made, "", [][]string{{made.Secret}})
}

func robotChangeCommand(verb, short string, change func(*api.Client, *cobra.Command, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return change(client, cmd, args[0])
		},
	}
}

func robotListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List robots",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			robots, err := client.Robots(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, r := range robots {
				state := "enabled"
				if r.Disabled {
					state = "disabled"
				}
				rows = append(rows, []string{r.Name, state, strings.Join(r.Rules, " "), when(r.Expires, "never"), when(r.Used, "never")})
			}
			return output(cmd, robots, "NAME\tSTATE\tGRANTS\tEXPIRES\tLAST USED", rows)
		},
	}
	outputFlag(cmd)
	return cmd
}
