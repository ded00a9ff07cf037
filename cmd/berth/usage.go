package main

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/ratelimit/usage"
)

// usageCommand reports who has pulled what.
func usageCommand() *cobra.Command {
	var from, to string
	var csv bool
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Report who has pulled what, hour by hour",
		Example: `  berth usage                          the last day
  berth usage --from 7d --csv
  berth usage --from 2026-11-01 --to 2026-12-01 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := checkOutput(cmd); err != nil {
				return err
			}
			now := time.Now()
			start, err := moment("--from", from, now)
			if err != nil {
				return err
			}
			end, err := moment("--to", to, now)
			if err != nil {
				return err
			}
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			rows := client.Usage(cmd.Context(), start, end)
			if csv {
				return usage.WriteCSV(cmd.OutOrStdout(), rows)
			}
			list := []api.UsageRow{}
			for row, err := range rows {
				if err != nil {
					return err
				}
				list = append(list, row)
			}
			return output(cmd, list, "HOUR\tUSER\tREPOSITORY\tTAG\tADDRESS\tCHECKS\tPULLS", usageTable(list))
		},
	}
	serverFlags(cmd)
	outputFlag(cmd)
	cmd.Flags().BoolVar(&csv, "csv", false, "as CSV with the column names of Docker Hub's reports")
	cmd.Flags().StringVar(&from, "from", "24h", "from when: how long ago such as 7d, a day such as 2026-11-23 (UTC), or a time such as 2026-11-23T07:00:00Z")
	cmd.Flags().StringVar(&to, "to", "0", "until when")
	return cmd
}

// moment reads a time, or how long ago one is.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if d, err := config.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is how long ago such as 7d, a day such as 2026-11-23, or a time such as 2026-11-23T07:00:00Z, not %q", flag, text)
}

func usageTable(list []api.UsageRow) (rows [][]string) {
	for _, u := range list {
		rows = append(rows, []string{
			u.Hour.UTC().Format("2006-01-02 15:04"), cmp.Or(u.User, "-"), cmp.Or(u.Repository, "-"), cmp.Or(u.Tag, "-"), cmp.Or(u.Client, "-"),
			strconv.FormatInt(u.VersionChecks, 10), strconv.FormatInt(u.Pulls, 10),
		})
	}
	return rows
}
