package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/ratelimit"
)

// limitsCommand shows and changes the pull limits of a running server.
func limitsCommand() *cobra.Command {
	var n int
	cmd := &cobra.Command{
		Use:   "limits [USER|ADDRESS]",
		Short: "Show what is left of the pull limits",
		Example: `  berth limits                      who has used most
  berth limits alice
  berth limits 203.0.113.7
  berth limits reset user:alice
  berth limits set robot:ci 5000 --window 24h --for 7d`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				list, err := client.Limits(cmd.Context(), n)
				if err != nil {
					return err
				}
				return printLimits(cmd, list, list...)
			}
			l, err := client.Limit(cmd.Context(), limitKey(args[0]))
			if err != nil {
				return err
			}
			return printLimits(cmd, l, l)
		},
	}
	serverFlags(cmd)
	outputFlag(cmd)
	cmd.Flags().IntVarP(&n, "number", "n", 20, "how many, of those who have used most")
	cmd.AddCommand(limitsResetCommand(), limitsSetCommand(), limitsUnsetCommand(), limitsOverridesCommand())
	return cmd
}

func printLimits(cmd *cobra.Command, value any, list ...api.PullLimit) error {
	var rows [][]string
	for _, l := range list {
		row := []string{l.Key, "unlimited", "-", "-", "-"}
		if !l.Unlimited {
			row = []string{l.Key, limitText(l.Limit, l.Window), strconv.FormatInt(l.Used, 10), strconv.FormatInt(l.Remaining, 10), ratelimit.Text(time.Duration(l.Reset) * time.Second)}
		}
		rows = append(rows, row)
	}
	return output(cmd, value, "KEY\tLIMIT\tUSED\tREMAINING\tMORE IN", rows)
}

func limitText(pulls, window int64) string {
	return ratelimit.Limit{Pulls: pulls, Window: time.Duration(window) * time.Second}.String()
}

// limitKey is what somebody means who names a user or a robot as it logs in,
// an address, or a key.
func limitKey(text string) string {
	robot, isRobot := strings.CutPrefix(text, auth.RobotPrefix)
	_, err := netip.ParseAddr(text)
	switch {
	case isRobot:
		return "robot:" + robot
	case err == nil, strings.Contains(text, ":"), text == "anonymous":
		return text
	}
	return "user:" + text
}

func limitsResetCommand() *cobra.Command {
	return limitsChangeCommand("reset KEY", "Forget what a user, a robot or an address has used", func(c *api.Client, cmd *cobra.Command, key string) error {
		return c.ResetLimit(cmd.Context(), key)
	})
}

func limitsUnsetCommand() *cobra.Command {
	return limitsChangeCommand("unset KEY", "Remove a limit that was set", func(c *api.Client, cmd *cobra.Command, key string) error {
		return c.UnsetLimit(cmd.Context(), key)
	})
}

func limitsChangeCommand(use, short string, change func(*api.Client, *cobra.Command, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return change(client, cmd, limitKey(args[0]))
		},
	}
}

func limitsSetCommand() *cobra.Command {
	var window, lasts string
	cmd := &cobra.Command{
		Use:   "set KEY LIMIT",
		Short: "Set the limit of a user, a robot or an address, above what the configuration says",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := newLimit(args[1], window, lasts, time.Now())
			if err != nil {
				return err
			}
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return client.SetLimit(cmd.Context(), limitKey(args[0]), n)
		},
	}
	cmd.Flags().StringVar(&window, "window", "", "in which the pulls are counted, such as 24h; ratelimit.window if empty")
	cmd.Flags().StringVar(&lasts, "for", "", "for how long it is set, such as 24h; until it is unset if empty")
	return cmd
}

// newLimit reads what the arguments say.
func newLimit(pulls, window, lasts string, now time.Time) (n api.NewLimit, err error) {
	limit, err := config.ParseLimit(pulls)
	if err != nil {
		return n, fmt.Errorf("LIMIT %w", err)
	}
	n.Limit = int64(limit)
	if window != "" {
		d, err := config.ParseDuration(window)
		if err != nil {
			return n, fmt.Errorf("--window %w", err)
		}
		n.Window = int64(time.Duration(d) / time.Second)
	}
	if lasts != "" {
		d, err := config.ParseDuration(lasts)
		if err != nil {
			return n, fmt.Errorf("--for %w", err)
		}
		n.Expires = now.Add(time.Duration(d)).UTC().Truncate(time.Second)
	}
	return n, nil
}

func limitsOverridesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "overrides",
		Short: "List the limits that were set while serving",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			list, err := client.SetLimits(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, l := range list {
				rows = append(rows, []string{l.Key, limitText(l.Limit, l.Window), l.By, when(l.Set, ""), when(l.Expires, "never")})
			}
			return output(cmd, list, "KEY\tLIMIT\tSET BY\tSET\tEXPIRES", rows)
		},
	}
	outputFlag(cmd)
	return cmd
}
