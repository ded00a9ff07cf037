package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
)

// tokenCommand manages personal tokens of a running server: an administrator's
// over the admin socket, one's own with --server.
func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Manage personal tokens: what a user gives to programs instead of the password"}
	serverFlags(cmd)
	cmd.AddCommand(tokenAddCommand(), tokenListCommand(), tokenRevokeCommand())
	return cmd
}

func tokenAddCommand() *cobra.Command {
	var n api.NewToken
	var expires string
	cmd := &cobra.Command{
		Use:     "add NAME --owner USER [--grant PATTERN:ACTIONS...]",
		Short:   "Make a personal token and show it, this once",
		Example: "  berth token add laptop --owner alice --grant 'team/**:pull' --expires 90d",
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
			made, err := client.AddToken(cmd.Context(), n)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s uses it instead of the password; it is shown once:\n", made.Token.Owner)
			return output(cmd, made, "", [][]string{{made.Secret}})
		},
	}
	cmd.Flags().StringVar(&n.Owner, "owner", "", "user it is made for; with --server the caller if empty")
	cmd.Flags().StringArrayVar(&n.Rules, "grant", nil, "what it reaches at most, PATTERN:ACTIONS; may be repeated; all that its owner may if there is none")
	cmd.Flags().StringVar(&expires, "expires", "", "for how long it is good, such as 90d; for ever if empty")
	outputFlag(cmd)
	return cmd
}

func tokenListCommand() *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List personal tokens",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			tokens, err := client.Tokens(cmd.Context(), owner)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, t := range tokens {
				reach := cmp.Or(strings.Join(t.Rules, " "), "all of its owner's")
				rows = append(rows, []string{t.ID, t.Owner, t.Name, reach, when(t.Expires, "never"), when(t.Used, "never")})
			}
			return output(cmd, tokens, "ID\tOWNER\tNAME\tREACHES\tEXPIRES\tLAST USED", rows)
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "of this user only")
	outputFlag(cmd)
	return cmd
}

func tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a personal token, at once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return client.RevokeToken(cmd.Context(), args[0])
		},
	}
}
