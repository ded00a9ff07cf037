package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	root        string
	servers     []string
	rows        *regexp.Regexp
	rounds      int
	scale       float64
	limit       time.Duration
	connections int
	growth      []int
	short       bool
	berth       string
	profile     string
	dir         string
	json        string
	markdown    string
	changed     map[string]string // flags that were set, for the report
}

// The -short form: enough to see every answer, in about a minute.
const (
	shortServers = "floor,berth"
	shortScale   = 0.05
	shortLimit   = 2 * time.Second
	shortGrowth  = "100,1000"
)

func parseOptions(args []string) (options, error) {
	o := options{changed: map[string]string{}}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	servers := fs.String("servers", "floor,distribution,berth,berth-quiet", "what to measure")
	rows := fs.String("rows", "", "only rows whose key or name matches this `regexp`")
	growth := fs.String("growth", "", "measure at these `sizes` instead, e.g. 100,10000,1000000; servers are berth unless set")
	fs.StringVar(&o.root, "root", "", "berth's repository; found from the working directory")
	fs.IntVar(&o.rounds, "rounds", 3, "how often each row is measured, the servers in turn; medians are reported")
	fs.Float64Var(&o.scale, "scale", 1, "multiplies the number of operations of each round")
	fs.DurationVar(&o.limit, "limit", 3*time.Second, "a server's part of a round ends after this time, done or not")
	fs.IntVar(&o.connections, "connections", 8, "connections that send at the same time")
	fs.BoolVar(&o.short, "short", false, "small counts; fails on wrong answers only, whatever the times are")
	fs.StringVar(&o.berth, "berth", "", "`binary` to measure as berth instead of building it")
	fs.StringVar(&o.profile, "profile", "", "write CPU profiles of berth, one per row, to this `directory`, by perf; times are worth less then")
	fs.StringVar(&o.dir, "dir", os.TempDir(), "where the servers' data goes, on a disk")
	fs.StringVar(&o.json, "json", "", "write everything measured to this `file`")
	fs.StringVar(&o.markdown, "markdown", "", "write the tables to this `file`")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	fs.Visit(func(f *flag.Flag) { o.note(f) })
	if o.short {
		o.shorten(servers, growth)
	} else if *growth != "" && o.changed["servers"] == "" {
		*servers = "berth"
	}
	return o, o.check(fs, *servers, *rows, *growth)
}

// note remembers a flag for the report, but for those that name paths of this machine.
func (o *options) note(f *flag.Flag) {
	switch f.Name {
	case "root", "berth", "profile", "dir", "json", "markdown":
	default:
		o.changed[f.Name] = f.Value.String()
	}
}

// shorten sets what was not set.
func (o *options) shorten(servers, growth *string) {
	if o.changed["servers"] == "" {
		*servers = shortServers
	}
	if o.changed["growth"] == "" {
		*growth = shortGrowth
	}
	if o.changed["scale"] == "" {
		o.scale = shortScale
	}
	if o.changed["rounds"] == "" {
		o.rounds = 1
	}
	if o.changed["limit"] == "" {
		o.limit = shortLimit
	}
}

func (o *options) check(fs *flag.FlagSet, servers, rows, growth string) (err error) {
	o.servers = strings.Split(servers, ",")
	if o.rows, err = regexp.Compile(rows); err != nil {
		return fmt.Errorf("-rows: %w", err)
	}
	if o.growth, err = parseSizes(growth); err != nil {
		return fmt.Errorf("-growth: %w", err)
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("%q: bench takes flags only", fs.Arg(0))
	case o.rounds < 1 || o.connections < 1 || o.scale <= 0 || o.limit <= 0:
		return errors.New("-rounds, -connections, -scale and -limit must be positive")
	}
	if o.root == "" {
		o.root, err = findRoot()
	}
	return err
}

// parseSizes reads sizes that grow. The smallest is a page; all are multiples of ten, the tags of a manifest.
func parseSizes(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	var sizes []int
	for text := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		if n < 100 || n%10 != 0 || len(sizes) > 0 && n <= sizes[len(sizes)-1] {
			return nil, fmt.Errorf("%d: sizes are multiples of 10, 100 at least, and grow", n)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// findRoot looks for berth's repository here and above.
func findRoot() (string, error) {
	for _, dir := range []string{".", ".."} {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "berth")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("run bench in berth's repository or its bench directory, or set -root")
}
