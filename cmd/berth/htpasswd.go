package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/auth/account"
)

// htpasswdCommand brings users along from another registry.
func htpasswdCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "htpasswd", Short: "Bring users along from an htpasswd file"}
	serverFlags(cmd)
	cmd.AddCommand(htpasswdImportCommand())
	return cmd
}

func htpasswdImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add the users of a file whose hashes are bcrypt's; - is standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readFile(cmd, args[0], account.MaxImport)
			if err != nil {
				return err
			}
			client, err := connect(cmd)
			if err != nil {
				return err
			}
			done, err := client.ImportUsers(cmd.Context(), text)
			if err != nil {
				return err
			}
			return printImported(cmd, args[0], done)
		},
	}
	outputFlag(cmd)
	return cmd
}

func printImported(cmd *cobra.Command, file string, done account.Imported) error {
	var rows [][]string
	for _, name := range done.Added {
		rows = append(rows, []string{"added " + name})
	}
	for _, s := range done.Skipped {
		rows = append(rows, []string{fmt.Sprintf("%s:%d: skipped %s: %s", file, s.Line, cmp.Or(s.Name, "a line"), s.Reason)})
	}
	if err := output(cmd, done, "", rows); err != nil {
		return err
	}
	if n := len(done.Skipped); n > 0 {
		return fmt.Errorf("%d of %d users were not added", n, n+len(done.Added))
	}
	return nil
}

// readFile reads a text file of at most so many bytes.
func readFile(cmd *cobra.Command, path string, most int64) (string, error) {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return string(text), err
}
