package differential

import "fmt"

// shrink returns a shorter sequence that still ends in the same fault: steps
// are dropped, many at a time and then one by one, while the fault persists.
func (p *pair) shrink(steps []step, f *fault) ([]step, *fault, error) {
	sign := f.sign()
	steps = steps[:f.at+1] // what comes after it has no part in it
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size < len(steps); {
			shorter := append(steps[:at:at], steps[at+size:]...)
			again, err := p.replay(shorter)
			if err != nil {
				return steps, f, err
			}
			if again != nil && again.sign() == sign && again.at == len(shorter)-1 {
				steps, f = shorter, again
			} else {
				at += size
			}
		}
	}
	return steps, f, nil
}

// replay runs steps from the beginning, without counting what they need of
// the table.
func (p *pair) replay(steps []step) (*fault, error) {
	if err := p.reset(); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	return p.run(steps, newTable()), nil
}
