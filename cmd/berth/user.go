package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/berth-registry/berth/api"
)

// userCommand manages the users of a running server, over its admin socket.
func userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Manage users of the running server"}
	cmd.AddCommand(userAddCommand(), userListCommand(), userRemoveCommand(), userPasswordCommand())
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

func userRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user",
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
	var format string
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
			return printUsers(cmd.OutOrStdout(), format, users)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}

func printUsers(w io.Writer, format string, users []api.User) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(users)
	case "table":
		t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		fmt.Fprintln(t, "NAME\tADMIN\tGROUPS\tCREATED")
		for _, u := range users {
			created := "in the configuration"
			if !u.Static {
				created = u.Created.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(t, "%s\t%t\t%s\t%s\n", u.Name, u.Admin, strings.Join(u.Groups, ","), created)
		}
		return t.Flush()
	}
	return fmt.Errorf("-o is table or json, not %q", format)
}

// connect returns a client of the server that runs with the configuration.
func connect(cmd *cobra.Command) (*api.Client, error) {
	c, err := load(cmd)
	if err != nil {
		return nil, err
	}
	return api.Dial(c.HTTP.AdminSocket), nil
}

func passwordFlag(cmd *cobra.Command, stdin *bool) {
	cmd.Flags().BoolVar(stdin, "password-stdin", false, "read the password from standard input")
}

// password reads a password from standard input, or asks for it twice on a
// terminal. It is never an argument: those are seen by every process.
func password(cmd *cobra.Command, stdin bool) (string, error) {
	if stdin {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	tty := int(os.Stdin.Fd())
	if !term.IsTerminal(tty) {
		return "", errors.New("standard input is no terminal: use --password-stdin")
	}
	first, err := ask(cmd, tty, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(cmd, tty, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the passwords differ")
	}
	return first, nil
}

func ask(cmd *cobra.Command, tty int, prompt string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	secret, err := term.ReadPassword(tty)
	fmt.Fprintln(cmd.ErrOrStderr())
	return string(secret), err
}
