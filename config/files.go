package config

// Files is a list of file paths; in YAML one path alone is a list of one.
type Files []string
