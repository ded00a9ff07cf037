package config

import (
	"errors"
	"regexp"
	"strings"

	"github.com/berth-registry/berth/auth"
)

const userVariable = "${user}"

// checkPattern accepts repository patterns: components of names, * for one component, ** for any number of them.
func checkPattern(text string) error {
	if len(text) > maxName {
		return errors.New("must be a repository pattern of at most 255 characters")
	}
	for part := range strings.SplitSeq(text, "/") {
		if part != "*" && part != "**" && !component.MatchString(part) {
			return errPattern(text, part)
		}
	}
	return nil
}

func errPattern(text, part string) error {
	why := quote(part) + " is no component of a name (lowercase letters and digits, with . _ - between them)"
	switch {
	case text == "":
		why = "this is empty"
	case part == "":
		why = "a slash stands at its end or beside another"
	case strings.Contains(part, "${"):
		why = userVariable + " is the only variable, and known in auth.grants only"
	case strings.Contains(part, "*"):
		why = "* and ** stand for whole components here, between slashes"
	}
	return errors.New("must be a repository pattern such as team/** or */app, not " + quote(text) + ": " + why)
}

// checkGrantPattern accepts what decides about grants: ${user} stands for the caller's name, and * also for a part of a component.
func checkGrantPattern(text string) error {
	if len(text) > maxName {
		return errors.New("must be a repository pattern of at most 255 characters")
	}
	if _, err := auth.ParsePattern(text); err != nil {
		return errors.New("must be a repository pattern such as team/** or */app: " + err.Error())
	}
	return nil
}

// checkUpstreamPattern accepts repository patterns, and those with a ! before them, which exclude.
func checkUpstreamPattern(text string) error {
	return checkPattern(strings.TrimPrefix(text, "!"))
}

var tagPattern = regexp.MustCompile(`^[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,127}$`)

// checkTagPattern accepts tags in which * stands for any characters.
func checkTagPattern(text string) error {
	if !tagPattern.MatchString(text) {
		return errors.New("must be a tag pattern such as v* or latest, not " + quote(text))
	}
	return nil
}
