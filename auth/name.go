package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/berth-registry/berth/oci"
)

// Limits of names, in bytes.
const (
	MaxName  = 64  // of a user
	MaxGroup = 255 // of a group
)

// MaxGroups bounds the groups of a user: all of them stand in each token.
const MaxGroups = 64

// CheckName says what is wrong with a user name. It is one path component of a
// repository name, because ${user}/** is a namespace, of at most 64 bytes, and
// none of the reserved names.
//
// Reserved are the words of `who` (anonymous, authenticated, group, robot,
// user), so that a name is never taken for one, and two namespaces that
// everybody pulls from: library (a user of that name could push what others
// take for an official image of Docker Hub) and public. The names of upstreams
// belong here too, but are known to the configuration only.
func CheckName(name string) error {
	if !oci.ValidComponent(name) {
		return errors.New("a user name is lower-case letters and digits, with . _ - between them")
	}
	if len(name) > MaxName {
		return fmt.Errorf("a user name has at most %d bytes", MaxName)
	}
	if reserved(name) {
		return fmt.Errorf("the user name %s is reserved", name)
	}
	return nil
}

func reserved(name string) bool {
	switch name {
	case "anonymous", "authenticated", "group", "robot", "user", "library", "public":
		return true
	}
	return false
}

// CheckGroup says what is wrong with the name of a group. Groups come from
// outside directories too, so any visible text of 1 to 255 bytes is one.
func CheckGroup(name string) error {
	if name == "" || len(name) > MaxGroup {
		return fmt.Errorf("the name of a group has 1 to %d bytes", MaxGroup)
	}
	if !utf8.ValidString(name) || strings.TrimSpace(name) != name || strings.ContainsFunc(name, isInvisible) {
		return errors.New("the name of a group is visible text without spaces around it")
	}
	return nil
}

func isInvisible(r rune) bool { return !unicode.IsPrint(r) }
