package differential

import "slices"

// fixed is a hand-written sequence: one way to use or misuse the API. Each
// starts with two empty registries.
type fixed struct {
	name  string
	steps []step
}

// fixedCases is every kind of request and every error once.
func fixedCases() []fixed {
	return slices.Concat(fixedRoutes(), fixedManifests(), fixedRefused(), fixedDeletes(), fixedBlobs(), fixedUploads(), fixedMounts(), fixedLists())
}

// seq joins steps and sequences of steps.
func seq(parts ...any) []step {
	var list []step
	for _, part := range parts {
		switch part := part.(type) {
		case step:
			list = append(list, part)
		case []step:
			list = append(list, part...)
		}
	}
	return list
}

// Names that steps use.
const (
	repo  = "library/app"
	other = "team-a/other.app"
	third = "third"
	fresh = "never/pushed"
)

var (
	someRepos = []string{repo, other, third, fresh}
	someTags  = []string{"latest", "v1", "v1.0", "_x", "A"}
	allTags   = append([]string{"seed"}, someTags...)
)

// plain is an image of each kind, over config and small.
var (
	plain       = image(ociImage, config, small).document(ociImage)
	plainDocker = image(dockerImage, config, small).document(dockerImage)
)

// stocked is a repository with config and small, the blobs of plain.
func stocked(repo string) []step {
	return seq(push(repo, 90, config), push(repo, 91, small))
}

// tagged is a repository with plain as latest.
func tagged(repo string) []step {
	return seq(stocked(repo), putManifest(repo, "latest", plain))
}
