package config

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// component is one part of a repository name, between slashes (OCI distribution spec, "pulling manifests").
var component = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)

// maxName is how long a repository name may be with its slashes.
const maxName = 255

func checkName(text string) error {
	if len(text) > maxName || !component.MatchString(text) {
		return errors.New("must be one component of a repository name (lowercase letters and digits, with . _ - between them), not " + quote(text))
	}
	return nil
}

// checkLabel accepts what comes from outside directories, such as the name of a group: any visible text.
func checkLabel(text string) error {
	if text == "" || len(text) > maxName || strings.TrimSpace(text) != text || strings.ContainsFunc(text, isInvisible) {
		return errors.New("must be visible text of 1 to 255 bytes without spaces around it")
	}
	return nil
}

// checkToken accepts what can stand between quotes in a header and as a string in a JWT.
func checkToken(text string) error {
	if err := checkLabel(text); err != nil {
		return err
	}
	if strings.ContainsAny(text, `"\`) || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return errors.New(`must be ASCII without " and \`)
	}
	return nil
}

func isInvisible(r rune) bool { return !unicode.IsPrint(r) }

// checkFile accepts the path of a file; whether it exists is not asked here.
func checkFile(text string) error {
	if text == "" {
		return errors.New("must name a file or directory")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("must be a path without control characters")
	}
	return nil
}
