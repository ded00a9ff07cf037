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
	MaxName    = 64  // of a user or robot
	MaxGroup   = 255 // of a group
	MaxOutside = 512 // of who is known by an outside issuer
)

// RobotPrefix stands before the name of a robot where it logs in: no user name
// can begin with it.
const RobotPrefix = "robot$"

// MaxGroups bounds the groups of a user: all of them stand in each token.
const MaxGroups = 64

// CheckName says what is wrong with a user name. It is one path component of a
// repository name, because ${user}/** is a namespace, of at most 64 bytes, and
// none of the reserved names.
//
// Reserved are the words of `who` (anonymous, authenticated, group, issuer, robot,
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
	if strings.HasPrefix(name, SecretPrefix) {
		return fmt.Errorf("a user name does not begin with %s, as secrets do", SecretPrefix)
	}
	if reserved(name) {
		return fmt.Errorf("the user name %s is reserved", name)
	}
	return nil
}

func reserved(name string) bool {
	switch name {
	case "anonymous", "authenticated", "group", "issuer", "robot", "user", "library", "public":
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

// CheckRobot says what is wrong with the name of a robot: one component of at
// most 64 bytes, without RobotPrefix.
func CheckRobot(name string) error {
	if !oci.ValidComponent(name) {
		return errors.New("the name of a robot is lower-case letters and digits, with . _ - between them")
	}
	if len(name) > MaxName {
		return fmt.Errorf("the name of a robot has at most %d bytes", MaxName)
	}
	return nil
}

// CheckOutside says what is wrong with the name of a principal that an outside
// issuer vouches for: what the configuration calls the issuer, a colon, and
// visible text, at most 512 bytes in all.
func CheckOutside(name string) error {
	who, subject, _ := strings.Cut(name, ":")
	if !oci.ValidComponent(who) || subject == "" || len(name) > MaxOutside {
		return fmt.Errorf("the name of an outside caller is WHO:SUBJECT of at most %d bytes", MaxOutside)
	}
	if !utf8.ValidString(subject) || strings.ContainsFunc(subject, isInvisible) {
		return errors.New("the subject of an outside caller is visible text")
	}
	return nil
}

func isInvisible(r rune) bool { return !unicode.IsPrint(r) }
