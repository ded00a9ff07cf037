package durability

import (
	"fmt"
	"strings"
	"testing"
)

// TestFirstStartOnFullDisk starts serve on nothing, with more and more space,
// until it comes up. What earlier starts left does not hinder it.
func TestFirstStartOnFullDisk(t *testing.T) {
	for name, leave := range map[string]func(d disk, n int){
		"pages":  func(d disk, n int) { d.leave(t, n, plenty) },
		"inodes": func(d disk, n int) { d.leave(t, plenty, n) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newTmpfs(t)
			r := newServer(t, d.dir()+"/data")
			n := 0
			for ; ; n++ {
				leave(d, n)
				before := len(r.Logs())
				if r.Launch(t) {
					break
				}
				if said := r.Logs()[before:]; !strings.HasPrefix(said, "berth: ") || !strings.HasSuffix(said, "no space left on device\n") {
					t.Errorf("with %d %s serve says %s", n, name, said)
				}
			}
			d.leave(t, plenty, plenty)
			r.checks(t, "ok", "ok")
			r.Stop(t)
			r.start(t)
			r.push(t)
			r.readable(t, false)
			fmt.Printf("first start on a full disk: refused %d times, then with %d more %s it came up\n", n, n, name)
			if n == 0 {
				t.Error("the disk was never full")
			}
		})
	}
}
