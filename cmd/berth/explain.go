package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
)

// explainCommand asks a running server which grant allows or denies.
func explainCommand() *cobra.Command {
	var s api.Subject
	cmd := &cobra.Command{
		Use:   "explain [--user U | --robot R] [--group G...] [--client ADDRESS] ACTION REPOSITORY",
		Short: "Say whether somebody may do something, and by which grant",
		Example: `  berth explain --user alice push team/app
  berth explain --group interns --client 10.1.2.3 pull,push team/app`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			e, err := client.Explain(cmd.Context(), s, args[0], args[1])
			if err != nil {
				return err
			}
			return output(cmd, e, "", explained(e))
		},
	}
	serverFlags(cmd)
	cmd.Flags().StringVar(&s.User, "user", "", "name of a user")
	cmd.Flags().StringVar(&s.Robot, "robot", "", "name of a robot, without robot$")
	cmd.Flags().StringArrayVar(&s.Groups, "group", nil, "as if the user were in this group too; without --user, whoever is in it; may be repeated")
	cmd.Flags().StringVar(&s.Client, "client", "", "address that asks")
	outputFlag(cmd)
	return cmd
}

// explained is an explanation in words.
func explained(e api.Explanation) [][]string {
	who := e.Principal
	if who == "user:" {
		who = "a user"
	}
	if len(e.Groups) > 0 {
		who += " in " + strings.Join(e.Groups, ", ")
	}
	if e.Client != "" {
		who += " from " + e.Client
	}
	verdict := "may"
	if !e.Allowed {
		verdict = "may not"
	}
	rows := [][]string{{fmt.Sprintf("%s %s %s on %s", who, verdict, strings.Join(e.Actions, ","), e.Repository)}}
	if missing := strings.Join(e.Missing, ","); !e.Allowed && missing != strings.Join(e.Actions, ",") {
		rows = append(rows, []string{"  missing: " + missing})
	}
	return append(rows, []string{"  " + e.Because})
}
