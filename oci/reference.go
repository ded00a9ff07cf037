package oci

// Limits of names.
const (
	// MaxRepository is the longest repository name, in bytes: longer ones do
	// not fit into 255 together with a host in several clients.
	MaxRepository = 255
	// MaxTag is the longest tag, in bytes (distribution-spec, "Pulling manifests").
	MaxTag = 128
)

// ParseRepository checks a repository name against the grammar of the
// distribution specification:
//
//	[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*
//
// Its error has the code NAME_INVALID.
func ParseRepository(s string) (string, error) {
	if len(s) > MaxRepository {
		return "", ErrNameInvalid.With("a repository name has at most 255 bytes")
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '/' {
			continue
		}
		if !validComponent(s[start:i]) {
			return "", ErrNameInvalid.With("a repository name is made of lower-case letters, digits, separators and slashes")
		}
		start = i + 1
	}
	return s, nil
}

// ValidComponent reports whether s is one path component of a repository
// name. User names are held to the same grammar.
func ValidComponent(s string) bool { return len(s) <= MaxRepository && validComponent(s) }

func validComponent(s string) bool {
	if s == "" || !isAlnum(s[0]) || !isAlnum(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		if isAlnum(s[i]) {
			i++
			continue
		}
		n := separator(s[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// separator returns the length of the separator that s starts with (one dot,
// one or two underscores, any number of hyphens), or 0. What follows it must
// be a letter or digit again.
func separator(s string) int {
	n := 1
	for n < len(s) && s[n] == s[0] {
		n++
	}
	switch {
	case s[0] == '.' && n > 1, s[0] == '_' && n > 2:
		return 0
	case s[0] != '.' && s[0] != '_' && s[0] != '-':
		return 0
	case n == len(s) || !isAlnum(s[n]):
		return 0
	}
	return n
}

// ParseTag checks s against [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. Its error has
// the code MANIFEST_INVALID.
func ParseTag(s string) (string, error) {
	if len(s) == 0 || len(s) > MaxTag || s[0] == '.' || s[0] == '-' {
		return "", ErrTagInvalid.With("a tag has 1 to 128 letters, digits, dots, hyphens and underscores and starts with none of .-")
	}
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && (c < 'A' || c > 'Z') && c != '.' && c != '_' && c != '-' {
			return "", ErrTagInvalid.With("a tag has 1 to 128 letters, digits, dots, hyphens and underscores")
		}
	}
	return s, nil
}

func isAlnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

// Reference names a manifest of a repository: by tag or by digest, exactly
// one of which is set.
type Reference struct {
	Tag    string
	Digest Digest
}

// ParseReference reads a reference as it stands in a path: with a colon it is
// a digest, else a tag.
func ParseReference(s string) (Reference, error) {
	for i := range len(s) {
		if s[i] == ':' {
			d, err := ParseDigest(s)
			return Reference{Digest: d}, err
		}
	}
	t, err := ParseTag(s)
	return Reference{Tag: t}, err
}

func (r Reference) String() string {
	if r.Tag != "" {
		return r.Tag
	}
	return string(r.Digest)
}
