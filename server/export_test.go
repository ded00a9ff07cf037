package server

// RouteNames lists the routes of the distribution API, "METHOD kind", so that
// a table written elsewhere can be held against them.
func RouteNames() []string {
	var names []string
	for _, r := range routes {
		names = append(names, r.method+" "+r.name)
	}
	return names
}
