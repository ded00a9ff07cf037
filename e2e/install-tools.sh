#!/bin/bash
# Installs what the end-to-end tests need: the Go tools of tools.txt into ../.tools, and, as root on a machine with
# apt, Debian's packages. Arguments name other lists to install besides: tools-clients.txt has clients that take minutes
# to build. What is there already is left alone. Where something cannot be installed, each missing program is named and
# the exit status is 1: the tests that can run still run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bin=$PWD/../.tools
missing=()

# What is needed, and the Debian 12 package that has it. Docker's client is asked for by its path: a lone client
# elsewhere on PATH may be too new for Debian's engine.
needed=(
	dockerd:docker.io
	/usr/bin/docker:docker.io
	containerd:containerd
	runc:runc
	skopeo:skopeo
	podman:podman
	buildah:buildah
	slapd:slapd
	ldapmodify:ldap-utils
	strace:strace
	mkfs.ext4:e2fsprogs
	mount:mount
	redis-server:redis-server
	dpkg-deb:dpkg
	tar:tar
	/etc/ssl/certs/ca-certificates.crt:ca-certificates
)

have() {
	case $1 in
	/*) [[ -e $1 ]] ;;
	*) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
	esac
}

# no_services keeps packages from starting daemons (a system dockerd, for one) while they are installed.
no_services() {
	local policy=/usr/sbin/policy-rc.d
	[[ -e $policy ]] && return
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap "rm -f $policy" EXIT
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root "$@"; }

# The tests download single packages to make images of, so package lists are needed even when nothing is installed.
install_packages() {
	local entry wanted=()
	for entry in "${needed[@]}"; do
		have "${entry%%:*}" || wanted+=("${entry#*:}")
	done
	if [[ $EUID -ne 0 ]] || ! have apt-get; then return; fi
	if [[ ${#wanted[@]} -gt 0 ]] || ! apt-cache show nginx busybox-static >/dev/null 2>&1; then
		apt update
	fi
	if [[ ${#wanted[@]} -eq 0 ]]; then return; fi
	no_services
	echo "installing ${wanted[*]}"
	apt install --yes --no-install-recommends "${wanted[@]}" >/dev/null
}

# installed prints module@version of a program built by `go install`.
installed() { go version -m "$1" 2>/dev/null | awk '$1 == "path" {path = $2} $1 == "mod" {print path "@" $3}'; }

# install_tool builds a program into a directory below $bin: two daemons of one name, Debian's and a new one, would
# otherwise be taken for each other. Without cgo no C compiler is needed.
install_tool() {
	local name=${1%@*} dir=$bin${2:+/$2}
	name=${name##*/}
	[[ $(installed "$dir/$name") == "$1" || $("$dir/$name" --version 2>/dev/null) == *" ${1%%/cmd/*} ${1##*@} "* ]] && return
	echo "installing $1"
	case $1 in
	github.com/moby/buildkit/*) build_inside "$1" "$dir/$name" ;;
	*) GOBIN=$dir GOFLAGS= CGO_ENABLED=0 go install -ldflags '-s -w' "$1" ;;
	esac || missing+=("$name ($1)")
}

# build_inside builds module/cmd/program@version in the module cache, for a module that go install refuses: its go.mod
# excludes versions of others.
build_inside() (
	module=${1%%/cmd/*} version=${1##*@}
	source=$(GOFLAGS= go mod download -json "$module@$version" | sed -nE 's/^\t"Dir": "(.*)",$/\1/p')
	cd "${source:?}" && GOFLAGS= CGO_ENABLED=0 go build -ldflags "-s -w -X $module/version.Version=$version" -o "$2" "./cmd/${2##*/}"
)

mkdir -p "$bin"
bin=$(cd "$bin" && pwd)
install_packages || echo "apt-get failed" >&2
while read -r tool dir; do
	install_tool "$tool" "$dir"
done < <(cat tools.txt "$@")
for entry in "${needed[@]}"; do
	have "${entry%%:*}" || missing+=("${entry%%:*} (Debian package ${entry#*:})")
done

if [[ ${#missing[@]} -gt 0 ]]; then
	printf 'missing: %s\n' "${missing[@]}" >&2
	exit 1
fi
