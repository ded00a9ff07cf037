package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/berth-registry/berth/api"
)

// tokenVariable is where a token is looked for that is not an argument: those
// are seen by every process.
const tokenVariable = "BERTH_TOKEN"

// serverFlags are those of every command that talks to a running server.
func serverFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().String("server", "", "http, https or unix URL of the server; its admin socket if empty")
	cmd.PersistentFlags().String("token", "", "personal or API token for --server; @FILE reads it from a file; "+tokenVariable+" if empty")
}

// connectToMake is connect for what makes a secret: that it cannot be shown is
// said before it is made.
func connectToMake(cmd *cobra.Command) (*api.Client, error) {
	if _, err := checkOutput(cmd); err != nil {
		return nil, err
	}
	return connect(cmd)
}

// connect returns a client of the server that --server names, or of the one
// that runs with the configuration.
func connect(cmd *cobra.Command) (*api.Client, error) {
	server, err := cmd.Flags().GetString("server")
	if err != nil {
		return nil, err
	}
	token, err := readToken(cmd)
	if err != nil {
		return nil, err
	}
	if server != "" {
		return api.NewClient(server, token)
	}
	if cmd.Flags().Changed("token") {
		return nil, errors.New("--token needs --server: who may open the admin socket needs none")
	}
	c, err := load(cmd)
	if err != nil {
		return nil, err
	}
	return api.Dial(c.HTTP.AdminSocket), nil
}

func readToken(cmd *cobra.Command) (string, error) {
	token, err := cmd.Flags().GetString("token")
	if err != nil {
		return "", err
	}
	if token == "" {
		return os.Getenv(tokenVariable), nil
	}
	path, isFile := strings.CutPrefix(token, "@")
	if !isFile {
		return token, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func passwordFlag(cmd *cobra.Command, stdin *bool) {
	cmd.Flags().BoolVar(stdin, "password-stdin", false, "read the password from standard input")
}

// password reads a password from standard input, or asks for it twice on a
// terminal. It is never an argument.
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
