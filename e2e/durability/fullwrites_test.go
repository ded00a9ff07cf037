package durability

import (
	"encoding/json"
	"strings"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// fullWrites are all kinds of writes that a full disk can meet.
var fullWrites = []fullWrite{
	{
		name: "session", hits: []string{"pwrite <sessions>", "write <sessions>.check", "write _uploads/_check"}, records: true,
		prepare: func(*attempt) {},
		act: func(a *attempt) berth.Answer {
			answer := a.send("POST", blobs(repo, "uploads/"), "", nil)
			a.location = answer.Location
			return answer
		},
		status: 202, absent: nothing, present: cancel,
	},
	{
		name: "PATCH", hits: []string{"write <upload>", "pwrite <sessions>"}, names: []string{"create <upload>"}, records: true,
		prepare: func(a *attempt) { a.location = a.session(a.T, nil) },
		act:     func(a *attempt) berth.Answer { return a.send("PATCH", a.location, octets, a.body) },
		status:  202, absent: unchanged(0), present: finish,
	},
	{
		name: "second PATCH", hits: []string{"write <upload>", "pwrite <sessions>"}, records: true, files: 1,
		prepare: func(a *attempt) { a.location = a.session(a.T, a.body[:5000]) },
		act:     func(a *attempt) berth.Answer { return a.send("PATCH", a.location, octets, a.body[5000:]) },
		status:  202, absent: unchanged(5000), present: finish,
	},
	{
		name: "PUT of everything", hits: []string{"write <upload>", "pwrite <page>", "pwrite <sessions>"}, records: true,
		names:   []string{"create <upload>", "mkdir <hex>"},
		prepare: func(a *attempt) { a.location = a.session(a.T, nil) },
		act: func(a *attempt) berth.Answer {
			return a.send("PUT", a.location+"?digest="+berth.Digest(a.body), octets, a.body)
		},
		status: 201, absent: noBlob, present: ended,
	},
	{
		name: "PUT after PATCH", hits: []string{"pwrite <page>", "pwrite <sessions>"}, names: []string{"mkdir <hex>"}, records: true, files: 1,
		prepare: func(a *attempt) { a.location = a.session(a.T, a.body) },
		act: func(a *attempt) berth.Answer {
			return a.send("PUT", a.location+"?digest="+berth.Digest(a.body), "", nil)
		},
		status: 201, absent: noBlob, present: ended,
	},
	{
		name: "POST of a whole blob", hits: []string{"write <upload>", "pwrite <page>"}, names: []string{"create <upload>", "mkdir <hex>"},
		prepare: func(*attempt) {},
		act: func(a *attempt) berth.Answer {
			return a.send("POST", blobs(repo, "uploads/?digest="+berth.Digest(a.body)), octets, a.body)
		},
		status: 201, absent: noBlob, present: blobThere,
	},
	{
		name: "mount", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) {
			a.want(a.T, 201, "POST", blobs(other, "uploads/?digest="+berth.Digest(a.body)), octets, a.body)
		},
		act: func(a *attempt) berth.Answer {
			return a.send("POST", blobs(repo, "uploads/?from="+other+"&mount="+berth.Digest(a.body)), "", nil)
		},
		status: 201, absent: noBlob, present: blobThere,
	},
	{
		name: "manifest", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) { a.doc = image(strings.Repeat(a.name, 10_000), a.config, a.layer) },
		act:     putManifest,
		status:  201, absent: noManifest, present: manifestThere,
	},
	{
		name: "tag that moves", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) {
			putOther(a)
			a.old, a.doc = a.doc, image("next "+a.name, a.config)
		},
		act:    putManifest,
		status: 201,
		absent: func(a *attempt) {
			a.registry.absent(a.T, manifests(repo, berth.Digest(a.doc)))
			a.registry.present(a.T, manifests(repo, a.name), a.old)
		},
		present: manifestThere,
	},
	{
		name: "DELETE of a tag", hits: []string{"pwrite <page>"},
		prepare: putOther,
		act:     func(a *attempt) berth.Answer { return a.send("DELETE", manifests(repo, a.name), "", nil) },
		status:  202, absent: manifestThere,
		present: func(a *attempt) {
			a.registry.absent(a.T, manifests(repo, a.name))
			a.registry.present(a.T, manifests(repo, berth.Digest(a.doc)), a.doc)
		},
	},
	{
		name: "DELETE of a manifest", hits: []string{"pwrite <page>"},
		prepare: putOther,
		act: func(a *attempt) berth.Answer {
			return a.send("DELETE", manifests(repo, berth.Digest(a.doc)), "", nil)
		},
		status: 202, absent: manifestThere, present: noManifest,
	},
	{
		name: "DELETE of a blob", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) {
			a.want(a.T, 201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(a.body)), octets, a.body)
		},
		act:    func(a *attempt) berth.Answer { return a.send("DELETE", blobs(repo, berth.Digest(a.body)), "", nil) },
		status: 202, absent: blobThere, present: noBlob,
	},
	{
		name: "user add", hits: []string{"pwrite <page>"},
		prepare: func(*attempt) {},
		act:     func(a *attempt) berth.Answer { return a.command("add", a.name, "--password-stdin") },
		status:  200, absent: noUser, present: userThere,
	},
	{
		name: "user password", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) { a.command("add", a.name, "--password-stdin") },
		act:     func(a *attempt) berth.Answer { return a.command("password", a.name, "--password-stdin") },
		status:  200, absent: userThere, present: userThere,
	},
	{
		name: "user remove", hits: []string{"pwrite <page>"},
		prepare: func(a *attempt) { a.command("add", a.name, "--password-stdin") },
		act:     func(a *attempt) berth.Answer { return a.command("remove", a.name) },
		status:  200, absent: userThere, present: noUser,
	},
}

func (a *attempt) send(method, path, media string, body []byte) berth.Answer {
	return a.do(a.T, method, path, media, body)
}

// command runs berth user. What it says of a full disk becomes the answer that
// others get of one.
func (a *attempt) command(args ...string) berth.Answer {
	said, err := a.user(a.T, args...)
	switch {
	case err == nil && said == "":
		return berth.Answer{Status: 200}
	case err != nil && said == "berth: "+diskFull.message+"\n":
		body, err := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": diskFull.code, "message": diskFull.message}}})
		must(a.T, err)
		return berth.Answer{Status: diskFull.status, Body: body}
	}
	a.Errorf("berth user %v: %v: %s", args, err, said)
	return berth.Answer{}
}

func nothing(*attempt) {}

// unchanged wants the session to stand where it stood.
func unchanged(size int) func(*attempt) {
	return func(a *attempt) { a.stands(a.T, a.location, size) }
}

func cancel(a *attempt) { a.cancelAll(a.T, []string{a.location}) }

func finish(a *attempt) {
	a.want(a.T, 201, "PUT", a.location+"?digest="+berth.Digest(a.body), "", nil)
	blobThere(a)
}

// ended wants the blob, and its session over.
func ended(a *attempt) {
	blobThere(a)
	a.want(a.T, 404, "GET", a.location, "", nil)
}

func noBlob(a *attempt)    { a.registry.absent(a.T, blobs(repo, berth.Digest(a.body))) }
func blobThere(a *attempt) { a.registry.present(a.T, blobs(repo, berth.Digest(a.body)), a.body) }

func putManifest(a *attempt) berth.Answer {
	answer := a.send("PUT", manifests(repo, a.name), imageType, a.doc)
	if answer.Status == 201 {
		a.copied(a.T, a.doc)
	}
	return answer
}

// putOther puts a manifest of its own under the attempt's tag.
func putOther(a *attempt) {
	a.doc = image(a.name, a.config)
	if answer := putManifest(a); answer.Status != 201 {
		a.Fatalf("PUT of a manifest: %d: %s", answer.Status, answer.Body)
	}
}

func noManifest(a *attempt) {
	a.registry.absent(a.T, manifests(repo, berth.Digest(a.doc)))
	a.registry.absent(a.T, manifests(repo, a.name))
}

func manifestThere(a *attempt) {
	a.registry.present(a.T, manifests(repo, berth.Digest(a.doc)), a.doc)
	a.registry.present(a.T, manifests(repo, a.name), a.doc)
}

func (a *attempt) listed() bool {
	said, err := a.user(a.T, "list", "-o", "json")
	must(a.T, err)
	return strings.Contains(said, `"`+a.name+`"`)
}

func noUser(a *attempt) {
	if a.listed() {
		a.Errorf("user %s is there", a.name)
	}
}

func userThere(a *attempt) {
	if !a.listed() {
		a.Errorf("user %s is not there", a.name)
	}
}
