package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/api"
)

// userCommand manages the users of a running server.
func userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Manage users of the running server"}
	serverFlags(cmd)
	cmd.AddCommand(userAddCommand(), userListCommand(), userRemoveCommand(), userPasswordCommand(), userGroupsCommand())
	return cmd
}

func userAddCommand() *cobra.Command {
	var u api.NewUser
	var stdin bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			u.Name = args[0]
			if u.Password, err = password(cmd, stdin); err != nil {
				return err
			}
			return client.AddUser(cmd.Context(), u)
		},
	}
	cmd.Flags().BoolVar(&u.Admin, "admin", false, "may do everything")
	cmd.Flags().StringArrayVar(&u.Groups, "group", nil, "group the user belongs to; may be repeated")
	passwordFlag(cmd, &stdin)
	return cmd
}

func userPasswordCommand() *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Change a user's password",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			secret, err := password(cmd, stdin)
			if err != nil {
				return err
			}
			return client.SetPassword(cmd.Context(), args[0], secret)
		},
	}
	passwordFlag(cmd, &stdin)
	return cmd
}

func userGroupsCommand() *cobra.Command {
	var groups []string
	var none bool
	cmd := &cobra.Command{
		Use:   "groups NAME --group G... | --none",
		Short: "Replace the groups of a user",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if none == (len(groups) > 0) {
				return errors.New("say which groups the user is in from now on (--group, repeated), or --none")
			}
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return client.SetGroups(cmd.Context(), args[0], groups)
		},
	}
	cmd.Flags().StringArrayVar(&groups, "group", nil, "group the user belongs to; may be repeated")
	cmd.Flags().BoolVar(&none, "none", false, "the user is in no group")
	return cmd
}

func userRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user, with all personal tokens",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			return client.RemoveUser(cmd.Context(), args[0])
		},
	}
}

func userListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			users, err := client.Users(cmd.Context())
			if err != nil {
				return err
			}
			var rows [][]string
			for _, u := range users {
				created := "in the configuration"
				if !u.Static {
					created = when(u.Created, "")
				}
				rows = append(rows, []string{u.Name, fmt.Sprint(u.Admin), strings.Join(u.Groups, ","), u.Provider, created})
			}
			return output(cmd, users, "NAME\tADMIN\tGROUPS\tPROVIDER\tCREATED", rows)
		},
	}
	outputFlag(cmd)
	return cmd
}
