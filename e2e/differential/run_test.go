package differential

import (
	"fmt"
	"strings"
)

// fault is a difference that is not accounted for: by no entry of the table,
// or by several.
type fault struct {
	at   int // the step
	x    exchange
	diff difference
	by   []*deviation // none, or too many
	err  error        // instead: a request or a mend failed
}

// sign names the fault so that a shorter sequence can be recognised to show
// the same.
func (f *fault) sign() string {
	if f.err != nil {
		return fmt.Sprint(f.x.op, f.x.shape, "error")
	}
	if f.diff.field == "body" {
		return fmt.Sprint(f.x.op, f.x.shape, "body", len(f.by))
	}
	return fmt.Sprint(f.x.op, f.x.shape, f.diff, len(f.by))
}

func (f *fault) String() string {
	var b strings.Builder
	if f.err != nil {
		fmt.Fprintf(&b, "step %d: %v", f.at+1, f.err)
		return b.String()
	}
	fmt.Fprintf(&b, "step %d, %s: %s", f.at+1, f.x.op, f.diff)
	if len(f.by) == 0 {
		b.WriteString("\nno entry of the table accounts for it")
	}
	for _, d := range f.by {
		fmt.Fprintf(&b, "\nmatches %s", d.id)
	}
	return b.String()
}

// run sends steps to both registries, which must be empty, and returns the
// first fault.
func (p *pair) run(steps []step, t *table) *fault {
	for i, s := range steps {
		if f := p.step(s, t); f != nil {
			f.at = i
			return f
		}
	}
	return nil
}

func (p *pair) step(s step, t *table) *fault {
	x := exchange{step: s, spoiled: p.spoiled[s.session]}
	var err error
	if x.dist, err = p.dist.send(s); err != nil {
		return &fault{x: x, err: err}
	}
	target := s.target(p.berth)
	if x.berth, err = p.berth.send(s); err != nil {
		return &fault{x: x, err: err}
	}
	if p.observe != nil {
		p.observe(s.method, target, x.berth)
	}
	p.spoil(x)
	return p.judge(x, t)
}

// spoil notes that the bytes of a session were not those of the digest. What
// becomes of the session then is one of the deviations.
func (p *pair) spoil(x exchange) {
	if x.op == uploadPut && x.ref != "" && !x.is(badDigest) && x.dist.codes == "DIGEST_INVALID" && x.berth.codes == x.dist.codes {
		p.spoiled[x.session] = true
	}
}

// judge accounts for every difference of an exchange and mends what it did.
func (p *pair) judge(x exchange, t *table) *fault {
	for _, d := range x.differences() {
		by := t.explain(x, d)
		if len(by) != 1 {
			return &fault{x: x, diff: d, by: by}
		}
		if by[0].mend == nil {
			continue
		}
		if err := by[0].mend(p, x); err != nil {
			return &fault{x: x, err: fmt.Errorf("mend after %s: %w", by[0].id, err)}
		}
	}
	return nil
}
