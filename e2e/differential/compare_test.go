package differential

import (
	"fmt"
	"net/http"
)

// exchange is a step and what the two registries answered.
type exchange struct {
	step
	dist, berth answer
	spoiled     bool // the session was finished with another content's digest
}

// difference is one thing that the two answers do not agree on.
type difference struct {
	field       string // "status", "code", "body" or the name of a header
	dist, berth string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: distribution %q, berth %q", d.field, shorten(d.dist), shorten(d.berth))
}

func shorten(s string) string {
	const most = 300
	if len(s) > most {
		return fmt.Sprintf("%s... (%d bytes)", s[:most], len(s))
	}
	return s
}

// differences compares two answers. Answers of different status are different
// answers: nothing else of them is compared.
func (x exchange) differences() []difference {
	if x.dist.status != x.berth.status {
		return []difference{{"status", x.dist.outcome(), x.berth.outcome()}}
	}
	var list []difference
	add := func(field, dist, berth string) {
		if dist != berth {
			list = append(list, difference{field, dist, berth})
		}
	}
	add("code", x.dist.codes, x.berth.codes)
	for _, name := range compared {
		if name == "Content-Type" && (x.dist.codes == "" || x.berth.codes == "") && x.dist.status >= http.StatusBadRequest {
			continue // follows from the code
		}
		add(name, x.dist.header[name], x.berth.header[name])
	}
	add("body", x.dist.body, x.berth.body)
	return list
}
