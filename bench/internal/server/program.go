package server

import "path/filepath"

// Program is a registry that can be started any number of times.
type Program struct {
	Name    string
	Berth   bool // it has users, ?tag= and /metrics
	Forgets bool // it does not find its data again after a restart
	path    string
	args    func(addr, dir string) []string
	env     func(addr, dir string) []string
}

func floor(bin string) Program {
	return Program{Name: "floor", path: bin, Forgets: true, args: func(addr, dir string) []string {
		return []string{"-addr", addr, "-root", filepath.Join(dir, "data")}
	}}
}

func distribution(bin, config string) Program {
	return Program{
		Name: "distribution",
		path: bin,
		args: func(string, string) []string { return []string{"serve", config} },
		env: func(addr, dir string) []string {
			return []string{
				"REGISTRY_HTTP_ADDR=" + addr,
				"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=" + filepath.Join(dir, "data"),
				"OTEL_TRACES_EXPORTER=none",
			}
		},
	}
}

// berth runs with its defaults; as berth-quiet without the access log.
func berth(name, bin, config string) Program {
	return Program{
		Name: name,
		path: bin,
		args: func(string, string) []string { return []string{"serve", "--config", config} },
		env: func(addr, _ string) []string {
			env := []string{"BERTH_HTTP_ADDR=" + addr, "BERTH_ADMIN_PASSWORD=" + adminPassword}
			if name == "berth-quiet" {
				env = append(env, "BERTH_LOG_LEVEL=error")
			}
			return env
		},
		Berth: true,
	}
}
