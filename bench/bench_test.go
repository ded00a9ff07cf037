package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/bench/internal/load"
)

func TestOptions(t *testing.T) {
	tests := []struct {
		args    string
		servers string
		growth  []int
		scale   float64
		limit   time.Duration
	}{
		{"", "floor,distribution,berth,berth-quiet", nil, 1, 3 * time.Second},
		{"-growth 100,10000", "berth", []int{100, 10000}, 1, 3 * time.Second},
		{"-growth 100 -servers distribution", "distribution", []int{100}, 1, 3 * time.Second},
		{"-short", "floor,berth", []int{100, 1000}, shortScale, shortLimit},
		{"-short -scale 0.5 -servers berth -growth 100", "berth", []int{100}, 0.5, shortLimit},
	}
	for _, tt := range tests {
		o, err := parseOptions(strings.Fields(tt.args))
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		if strings.Join(o.servers, ",") != tt.servers || !slices.Equal(o.growth, tt.growth) || o.scale != tt.scale || o.limit != tt.limit {
			t.Errorf("%s: got %+v", tt.args, o)
		}
	}
}

func TestOptionsKeepPathsOut(t *testing.T) {
	o, err := parseOptions(strings.Fields("-json /secret/a -dir /secret -rounds 3"))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.changed) != 1 || o.changed["rounds"] != "3" {
		t.Errorf("got %v", o.changed)
	}
}

func TestBadOptions(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-scale -1", "-limit 0", "-rows (", "-growth 5", "-growth 1000,100", "-growth 105", "-growth x", "more"} {
		if _, err := parseOptions(strings.Fields(args)); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

func TestGoalsHaveRows(t *testing.T) {
	keys := map[string]bool{memoryRow: true}
	for _, row := range load.Rows() {
		if _, ok := goals[row.Key]; !ok {
			t.Errorf("%s has no goal", row.Key)
		}
		keys[row.Key] = true
	}
	for key, g := range goals {
		if !keys[key] || g.Row != "" && !keys[g.Row] {
			t.Errorf("%s is the goal of no row", key)
		}
	}
}

func TestCounts(t *testing.T) {
	b := &bench{options: options{scale: 0.01}}
	for n, want := range map[int][2]int{40_000: {400, 20}, 16: {2, 1}} {
		if ops, warm := b.counts(load.Row{Ops: n}); ops != want[0] || warm != want[1] {
			t.Errorf("%d: %d and %d", n, ops, warm)
		}
	}
}

func TestHead(t *testing.T) {
	const text = "# comment\n\n  1% a\n  2% b\n  3% c\n"
	if got := head([]byte(text), 2); string(got) != "  1% a\n  2% b\n" {
		t.Errorf("got %q", got)
	}
}

func TestMountOf(t *testing.T) {
	const info = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:5 / /tmp rw - tmpfs tmpfs rw
24 22 7:0 / /mnt/data rw,noatime shared:2 master:1 - xfs /dev/loop0 rw
25 22 broken
`
	for path, want := range map[string]string{
		"/": "ext4 /dev/vda", "/home/x": "ext4 /dev/vda", "/tmp/x": "tmpfs tmpfs", "/tmpx": "ext4 /dev/vda",
		"/mnt/data": "xfs /dev/loop0", "/mnt/data/x": "xfs /dev/loop0", "/mnt": "ext4 /dev/vda",
	} {
		if kind, source := mountOf([]byte(info), path); kind+" "+source != want {
			t.Errorf("%s: got %s %s", path, kind, source)
		}
	}
}
