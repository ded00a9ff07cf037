package main

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/config"
)

// auditCommand shows the newest entries of a running server's audit trail. What
// is older stands in the file of log.audit.
func auditCommand() *cobra.Command {
	var q api.AuditQuery
	var since string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who did what: the newest entries that the running server remembers, the newest first",
		Example: `  berth audit --principal alice --since 24h
  berth audit --action push --repository 'team/**' -n 1000 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if q.Since, err = past(since, time.Now()); err != nil {
				return err
			}
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			entries, err := client.Audit(cmd.Context(), q)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, e := range entries {
				rows = append(rows, auditRow(e))
			}
			return output(cmd, entries, "TIME\tWHO\tFROM\tACTION\tREPOSITORY\tREFERENCE\tOUTCOME\tDETAIL", rows)
		},
	}
	serverFlags(cmd)
	cmd.Flags().StringVar(&q.Principal, "principal", "", "who did it, or whose account was tried: user:alice, robot:ci, or the name alone")
	cmd.Flags().StringVar(&q.Action, "action", "", "login, token, pull, push, delete, list, ping or admin")
	cmd.Flags().StringVar(&q.Outcome, "outcome", "", "ok, denied, delayed or failed")
	cmd.Flags().StringVar(&q.Repository, "repository", "", "repository or pattern, such as 'team/**'")
	cmd.Flags().StringVar(&since, "since", "", "not older than this, such as 24h, or a time such as 2026-11-23T12:00:00Z")
	cmd.Flags().IntVarP(&q.N, "number", "n", 100, "entries at most, up to 10000")
	outputFlag(cmd)
	return cmd
}

// auditRow is an entry as a row of the table, its digest shortened.
func auditRow(e api.Entry) []string {
	from, reference, who := "-", e.Reference, e.Principal
	if e.Client.IsValid() {
		from = e.Client.String()
	}
	if e.Account != "" {
		who += " as " + e.Account
	}
	if reference == "" {
		const enough = len("sha256:") + 12
		reference = e.Digest[:min(len(e.Digest), enough)]
	}
	detail := strings.TrimSpace(e.Request + " " + e.Detail)
	return []string{when(e.Time, "-"), who, from, string(e.Action), cmp.Or(e.Repository, "-"), cmp.Or(reference, "-"), string(e.Outcome), detail}
}

// past turns what --since says into a time; zero for "".
func past(in string, now time.Time) (time.Time, error) {
	if in == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, in); err == nil {
		return t, nil
	}
	d, err := config.ParseDuration(in)
	if err != nil {
		return time.Time{}, errors.New("--since: must be a duration such as 24h or a time such as 2026-11-23T12:00:00Z")
	}
	return now.Add(-time.Duration(d)), nil
}
