package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/config"
)

// outputFlag is -o, which says how a command writes what it has found.
func outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("output", "o", "table", "table or json")
}

// output writes a value as JSON, or the rows of a table under their header.
func output(cmd *cobra.Command, value any, header string, rows [][]string) error {
	format, err := checkOutput(cmd)
	if err != nil {
		return err
	}
	if format == "json" {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(value)
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
	if header != "" {
		fmt.Fprintln(t, header)
	}
	for _, row := range rows {
		fmt.Fprintln(t, strings.Map(printable, strings.Join(row, "\t")))
	}
	return t.Flush()
}

// checkOutput is called first of all where a secret is made: it must not be
// lost because nobody knows how to write it.
func checkOutput(cmd *cobra.Command) (string, error) {
	format, err := cmd.Flags().GetString("output")
	if err == nil && format != "table" && format != "json" {
		err = fmt.Errorf("-o is table or json, not %q", format)
	}
	return format, err
}

// printable keeps what somebody has named from acting on the terminal.
func printable(r rune) rune {
	if r != '\t' && !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}

// when writes a time, or what its absence means.
func when(t time.Time, absent string) string {
	if t.IsZero() {
		return absent
	}
	return t.UTC().Format(time.RFC3339)
}

// expiry turns what --expires says into a time; zero for "".
func expiry(in string, now time.Time) (time.Time, error) {
	if in == "" {
		return time.Time{}, nil
	}
	d, err := config.ParseDuration(in)
	if err != nil {
		return time.Time{}, fmt.Errorf("--expires: %w", err)
	}
	return now.Add(time.Duration(d)).UTC().Truncate(time.Second), nil
}
