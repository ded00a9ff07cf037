package e2e

import (
	"archive/tar"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// standIn gives the engine an image under the name of the Go image a Dockerfile builds in, made of this machine's Go, the
// modules berth needs, busybox and the root certificates: the Dockerfile is then built as it is, without any network.
func standIn(t *testing.T, docker program, name string) {
	t.Helper()
	file := filepath.Join(workDir(t), "golang.tar")
	out, err := os.Create(file)
	must(t, err)
	defer out.Close()
	tw := tar.NewWriter(out)
	golang := require(t, "go")
	must(t, addTree(tw, "usr/local/go", golang.run(t, "env", "GOROOT"), unusedByBuilds))
	must(t, addTree(tw, "go/pkg/mod", modules(t, golang), nil))
	must(t, addTree(tw, "", busyboxRoot(t), nil))
	must(t, tw.Close())
	args := []string{"import"}
	for _, env := range []string{
		"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"GOPATH=/go", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local",
	} {
		args = append(args, "--change", "ENV "+env)
	}
	docker.run(t, append(args, "--change", "WORKDIR /go", file, name)...)
}

// unusedByBuilds names what the official image has and a build never reads.
func unusedByBuilds(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return top == "api" || top == "doc" || top == "misc" || top == "test" || path.Base(name) == "testdata" ||
		strings.HasSuffix(name, "_test.go")
}

// modules returns a module cache with what berth's go.mod asks for, copied out of this machine's own where it can be.
func modules(t *testing.T, golang program) string {
	t.Helper()
	dir := workDir(t)
	own := filepath.Join(golang.run(t, "env", "GOMODCACHE"), "cache", "download")
	cache := golang.setenv("GOMODCACHE="+dir, "GOFLAGS=-modcacherw", "GOPROXY=file://"+own+","+golang.run(t, "env", "GOPROXY"))
	cache.in("..").run(t, "mod", "download")
	return dir
}

// busyboxRoot returns a root filesystem with a shell, the usual small programs and the machine's root certificates.
func busyboxRoot(t *testing.T) string {
	t.Helper()
	dir := workDir(t)
	unpackDebian(t, dir, busyboxPackages...)
	busybox := filepath.Join(dir, "bin", "busybox")
	for applet := range strings.FieldsSeq(program{path: busybox}.run(t, "--list")) {
		if applet != "busybox" {
			must(t, os.Symlink("busybox", filepath.Join(dir, "bin", applet)))
		}
	}
	certificates := "etc/ssl/certs/ca-certificates.crt"
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n",
		certificates: readFile(t, "/"+certificates),
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	must(t, os.MkdirAll(filepath.Join(dir, "root"), 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "tmp"), 0o777))
	return dir
}

// addTree writes a directory into a tar file below prefix, all owned by root.
func addTree(tw *tar.Writer, prefix, dir string, skip func(name string) bool) error {
	return filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if skip != nil && skip(name) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return addFile(tw, path.Join(prefix, name), file, entry)
	})
}

func addFile(tw *tar.Writer, name, file string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(file); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name, header.Uid, header.Gid = name, 0, 0
	if err := tw.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(tw, in)
	return err
}
