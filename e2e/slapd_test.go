package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const slapdConfig = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=berth,dc=example,dc=org" read by * none
database mdb
suffix "dc=example,dc=org"
rootdn "cn=root,dc=example,dc=org"
rootpw root-of-the-directory
directory %[1]s/data
index uid,member eq
`

// people are alice in dev and ops, bob in none, and one who has the name of berth's own administrator.
const people = `
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: cn=berth,dc=example,dc=org
objectClass: person
cn: berth
sn: service account
userPassword: berth-password

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Example
userPassword: alice-password

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Example
userPassword: bob-password

dn: uid=admin,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: admin
cn: Admin
sn: Example
userPassword: admin-of-the-directory

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=dev,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: dev
member: uid=alice,ou=people,dc=example,dc=org
member: uid=admin,ou=people,dc=example,dc=org

dn: cn=ops,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: ops
member: uid=alice,ou=people,dc=example,dc=org
member: uid=admin,ou=people,dc=example,dc=org
`

// directory is Debian's slapd with a configuration and data of its own.
type directory struct {
	dir          string
	plain, ldaps string // URLs
	ca           authority
	slapd        program
	proc         *process
}

// startDirectory returns a directory that answers, with the people above.
func startDirectory(t *testing.T) *directory {
	t.Helper()
	slapd, slapadd := require(t, "slapd"), require(t, "slapadd")
	require(t, "ldapmodify")
	d := &directory{dir: workDir(t), ca: newAuthority(t, "directory"), slapd: slapd}
	d.plain, d.ldaps = "ldap://"+freeAddr(t), "ldaps://"+freeAddr(t)
	cert, key := d.ca.server(t)
	config, data := filepath.Join(d.dir, "slapd.conf"), filepath.Join(d.dir, "people.ldif")
	must(t, os.WriteFile(config, fmt.Appendf(nil, slapdConfig, d.dir, cert, key), 0o600))
	must(t, os.WriteFile(data, []byte(people), 0o600))
	must(t, os.Mkdir(filepath.Join(d.dir, "data"), 0o700))
	slapadd.run(t, "-f", config, "-l", data)
	t.Cleanup(func() { d.stop(t) })
	d.start(t)
	return d
}

func (d *directory) start(t *testing.T) {
	t.Helper()
	var err error
	log := filepath.Join(d.dir, "slapd.log")
	d.proc, err = startProcess(d.slapd.with("-f", filepath.Join(d.dir, "slapd.conf"), "-h", d.plain+" "+d.ldaps, "-d", "0"), log)
	must(t, err)
	t.Cleanup(func() { keep(t, log) })
	until(t, 30*time.Second, "ldapmodify", func() bool {
		if d.proc.ended() {
			t.Fatalf("slapd ended with %v\n%s", d.proc.err, tail(log))
		}
		return d.modify(t, "") == 0
	})
}

func (d *directory) stop(t *testing.T) {
	t.Helper()
	if d.proc == nil || d.proc.ended() {
		return
	}
	if err := d.proc.stop(30 * time.Second); err != nil {
		t.Error(err)
	}
}

// modify changes the directory by LDIF and returns ldapmodify's exit code.
func (d *directory) modify(t *testing.T, ldif string) int {
	t.Helper()
	ldapmodify := require(t, "ldapmodify").with("-x", "-H", d.plain, "-D", "cn=root,dc=example,dc=org", "-w", "root-of-the-directory")
	return ldapmodify.input(ldif).exec(t).code
}

// env configures a server to ask the directory.
func (d *directory) env() string {
	return fmt.Sprintf(`BERTH_AUTH_LDAP={url: %q, ca: %q, bind_dn: "cn=berth,dc=example,dc=org", bind_password: berth-password, `+
		`base_dn: "dc=example,dc=org", group_filter: "(&(objectClass=groupOfNames)(member=${dn}))", admin_group: ops}`, d.ldaps, d.ca.file)
}
