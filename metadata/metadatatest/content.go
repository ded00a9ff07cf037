package metadatatest

import (
	"encoding/json"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

const (
	configType  = "application/vnd.oci.image.config.v1+json"
	layerType   = "application/vnd.oci.image.layer.v1.tar+gzip"
	foreignType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

func digest(name string) oci.Digest { return oci.FromBytes(oci.SHA256, []byte(name)) }

func digests(names ...string) []oci.Digest {
	var list []oci.Digest
	for _, name := range names {
		list = append(list, digest(name))
	}
	return list
}

// blob is a committed blob that is told from others by its name.
func blob(name string) metadata.Blob {
	return metadata.Blob{Digest: digest(name), Key: storage.Key("key of " + name), Size: int64(len(name))}
}

func tag(name string) oci.Reference { return oci.Reference{Tag: name} }

func by(d oci.Digest) oci.Reference { return oci.Reference{Digest: d} }

// image describes a manifest to be made. Blobs go by the names given to blob.
type image struct {
	config      string
	layers      []string
	foreign     []string // layers that live elsewhere
	subject     *oci.Manifest
	artifact    string
	annotations map[string]string
	algorithm   oci.Algorithm
}

func (i image) make() *oci.Manifest {
	layers := []oci.Descriptor{}
	for _, name := range i.layers {
		layers = append(layers, descriptor(name, layerType))
	}
	for _, name := range i.foreign {
		layers = append(layers, descriptor(name, foreignType))
	}
	return parse(oci.MediaTypeImageManifest, i.algorithm, i.subject, map[string]any{
		"config": descriptor(i.config, configType), "layers": layers,
		"artifactType": i.artifact, "annotations": i.annotations,
	})
}

// index makes an index over children.
func index(children ...*oci.Manifest) *oci.Manifest { return referringIndex(nil, children...) }

func referringIndex(subject *oci.Manifest, children ...*oci.Manifest) *oci.Manifest {
	list := []oci.Descriptor{}
	for _, c := range children {
		list = append(list, oci.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: c.Size})
	}
	return parse(oci.MediaTypeImageIndex, "", subject, map[string]any{"manifests": list})
}

func descriptor(name, mediaType string) oci.Descriptor {
	return oci.Descriptor{MediaType: mediaType, Digest: digest(name), Size: int64(len(name))}
}

func parse(mediaType string, a oci.Algorithm, subject *oci.Manifest, doc map[string]any) *oci.Manifest {
	if a == "" {
		a = oci.SHA256
	}
	doc["schemaVersion"], doc["mediaType"] = 2, mediaType
	if subject != nil {
		doc["subject"] = oci.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // a map of strings and descriptors
	}
	m, err := oci.ParseManifest(mediaType, b, a)
	if err != nil {
		panic(err)
	}
	return m
}

// link makes blobs known to repo.
func (e *env) link(repo string, names ...string) {
	e.Helper()
	for _, name := range names {
		e.ok(e.LinkBlob(e.ctx, repo, blob(name), ""))
	}
}

// put pushes m, whose blobs are there.
func (e *env) put(repo string, m *oci.Manifest, tags ...string) {
	e.Helper()
	e.ok(e.tryPut(repo, m, tags...))
}

func (e *env) tryPut(repo string, m *oci.Manifest, tags ...string) error {
	return e.PutManifest(e.ctx, repo, metadata.PutManifest{Manifest: m, Tags: tags, Now: now})
}

// push links the blobs of an image and pushes it.
func (e *env) push(repo string, i image, tags ...string) *oci.Manifest {
	e.Helper()
	e.link(repo, i.config)
	e.link(repo, i.layers...)
	m := i.make()
	e.put(repo, m, tags...)
	return m
}

// holds expects that ref names m in repo.
func (e *env) holds(repo string, ref oci.Reference, m *oci.Manifest) {
	e.Helper()
	got, err := e.Manifest(e.ctx, repo, ref, true)
	if err != nil {
		e.Fatalf("%s:%s: %v", repo, ref, err)
	}
	equal(e, got, stored(m, true))
}

// lacks expects that ref names nothing in repo.
func (e *env) lacks(repo string, ref oci.Reference) {
	e.Helper()
	for _, withBytes := range []bool{false, true} {
		_, err := e.Manifest(e.ctx, repo, ref, withBytes)
		e.absent(err)
	}
}

// stored is m as the store returns it.
func stored(m *oci.Manifest, withBytes bool) metadata.Manifest {
	s := metadata.Manifest{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size, PushedAt: now, Pull: metadata.CountedManifest}
	if m.Index() || m.Subject != nil && !m.FileSystem() {
		s.Pull = metadata.FreeManifest
	}
	if withBytes {
		s.Bytes = m.Bytes
	}
	return s
}

// referrer is m as a listing of referrers shows it.
func referrer(m *oci.Manifest) oci.Descriptor { return m.Descriptor }
