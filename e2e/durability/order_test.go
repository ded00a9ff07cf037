package durability

import (
	"fmt"
	"slices"
	"strings"
)

// step is what has to have ended before the next step begins. Within a step
// the order does not matter.
type step struct {
	calls []string // each of them once
	many  bool     // calls[0] is there once or more often
	why   string   // it has to be there
}

// The steps that every promise is made of.
var (
	written   = step{[]string{"write <upload>"}, true, "the bytes"}
	synced    = step{[]string{"fdatasync <upload>"}, false, "the bytes are on the disk before their name is, and before anybody is told"}
	renamed   = step{[]string{"rename <upload> <data>"}, false, "the bytes get their final name"}
	named     = step{[]string{"fsync <hex>", "fsync <prefix>"}, false, "the names that lead to the bytes are on the disk"}
	namedNew  = step{[]string{"fsync <hex>", "fsync <prefix>", "fsync <alg>"}, false, "the names that lead to the bytes are on the disk, that of a new prefix too"}
	pages     = step{[]string{"pwrite <page>"}, true, "the rows"}
	pagesDone = step{[]string{"fdatasync <db>"}, false, "the rows are on the disk before the meta page says where they are"}
	meta      = step{[]string{"pwrite <meta>"}, false, "the transaction becomes visible"}
	metaDone  = step{[]string{"fdatasync <db>"}, false, "the transaction is on the disk before anybody is told"}
	recorded  = step{[]string{"pwrite <sessions>"}, false, "the end of the process does not undo the session, whose bytes are on the disk"}
	ending    = step{[]string{"pwrite <sessions>"}, false, "the session ends when what it was for is on the disk, and not before"}
)

func answered(status int) step {
	return step{[]string{fmt.Sprint("answer ", status)}, false, "the client is told"}
}

// promise is what one request has to do, in this order.
type promise struct {
	steps []step
	// behind is what it does to storage beside its answer: the copy of a
	// manifest, whose names nobody waits for. Without, all it does is in steps.
	behind []step
}

// promised makes a promise of steps, or of the groups of steps, that ends with
// a status.
func promised(status int, groups ...[]step) promise {
	return promise{steps: append(slices.Concat(groups...), answered(status))}
}

var (
	bytesKept   = []step{written, synced}
	published   = []step{renamed, named}
	publishedIn = []step{renamed, namedNew}
	visible     = []step{pages, pagesDone, meta, metaDone}
	opened      = []step{recorded}
	over        = []step{ending}
	asCopy      = []step{written, synced, renamed}
)

// matters reports whether a call is part of any promise, or a sync that none
// asks for.
func matters(c call) bool {
	return c.failed == "" && (isSync(c) || strings.HasPrefix(c.label, "rename ") || strings.HasPrefix(c.label, "pwrite ") ||
		strings.HasPrefix(c.label, "answer ") || c.label == "write <upload>")
}

func isSync(c call) bool { return strings.Contains(strings.SplitN(c.label, " ", 2)[0], "sync") }

// inStorage reports whether a call is about bytes, not metadata.
func inStorage(c call) bool {
	return slices.ContainsFunc([]string{"<upload>", "<data>", "<hex>", "<prefix>", "<alg>"}, func(name string) bool { return strings.HasSuffix(c.label, name) })
}

// kept holds the calls of one request against its promise.
func (p promise) kept(calls []call) error {
	calls = slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !matters(c) })
	if p.behind == nil {
		return follow(p.steps, calls)
	}
	beside := func(c call) bool { return inStorage(c) }
	if err := follow(p.steps, slices.DeleteFunc(slices.Clone(calls), beside)); err != nil {
		return err
	}
	return p.copied(calls)
}

// copied is the part of kept that may come after the answer.
func (p promise) copied(calls []call) error {
	calls = slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !matters(c) || !inStorage(c) })
	return follow(p.behind, calls)
}

// follow wants exactly the steps, one after the other.
func follow(steps []step, calls []call) error {
	before := call{label: "the request", begin: -1, end: -1} // the call that ended last
	for _, s := range steps {
		n, last, err := s.match(calls, before)
		if err != nil {
			return err
		}
		calls, before = calls[n:], last
	}
	if len(calls) > 0 {
		return fmt.Errorf("%q is too much: nothing asks for it after %q", calls[0], before)
	}
	return nil
}

// match takes the calls of one step from the front.
func (s step) match(calls []call, before call) (n int, last call, err error) {
	open := slices.Clone(s.calls)
	last = before
	for _, c := range calls {
		i := slices.Index(open, c.label)
		if i < 0 && !(s.many && c.label == s.calls[0]) {
			break
		}
		if c.begin <= before.end {
			return 0, last, fmt.Errorf("%q began before %q had ended (%s)", c, before, s.why)
		}
		if i >= 0 {
			open = slices.Delete(open, i, i+1)
		}
		if c.end > last.end {
			last = c
		}
		n++
	}
	if len(open) == 0 {
		return n, last, nil
	}
	next := "nothing"
	if n < len(calls) {
		next = fmt.Sprintf("%q", calls[n])
	}
	return 0, last, fmt.Errorf("%q is missing after %q, where %s came (%s: %s)", open[0], before, next, strings.Join(s.calls, ", "), s.why)
}
