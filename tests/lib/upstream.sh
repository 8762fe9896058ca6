#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# Unpacks, never installs, Debian's packages of Xen's own scripts and tests
# into a cache outside the tree, once a version, and prints the directory.
#
#   tests/lib/upstream.sh [SUITE]    as bookworm has them, or another suite of Debian's
#
# apt gets lists and a cache of its own, so that any suite can be asked for
# and the system's own apt stays as it is; its mirror is the system's.
set -Eeuo pipefail

suite=${1:-bookworm}
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/xen-hotplug
state=$cache/apt-$suite
signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"

# apt_of_suite <apt program> <argument>...
# Its sandbox's user could not write here.
apt_of_suite() {
	"$1" -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o APT::Sandbox::User=root "${@:2}"
}

# newest_version
# Prints the version that the suite has; nothing before the first lists_update.
newest_version() {
	apt_of_suite apt-cache show --no-all-versions xen-utils-common 2>/dev/null | sed -n 's/^Version: //p' || :
}

# lists_update
# Where the machine gets Debian and its security fixes from, there is the suite, too.
lists_update() {
	local targets mirror
	# shellcheck disable=SC2016 # apt expands them
	targets=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main')
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	: >>"$state/status"
	sort -u <<<"$targets" |
		sed -n -e "s%^Debian|\(.*\)%deb $signed \1 $suite main%p" \
			-e "s%^Debian-Security|\(.*\)%deb $signed \1 $suite-security main%p" >"$state/sources.list"
	apt_of_suite apt-get -qq update >&2
}

# unpack <directory>
# The scripts, and the package of the same version with Xen's own tests.
unpack() {
	local new package
	new=$(mktemp -d "$cache/new.XXXXXX")
	(cd "$new" && apt_of_suite apt-get -qq download xen-utils-common "xen-utils-$(cut -d . -f 1,2 <<<"$version")")
	for package in "$new"/*.deb; do
		dpkg -x "$package" "$new"
	done
	chmod 0755 "$new"
	mv -T "$new" "$1"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w 300 9 # others may ask at the same time
version=$(newest_version)
if [[ ! $version || ! -d $cache/upstream-$version ]]; then
	lists_update # old lists name packages that are gone
	version=$(newest_version)
fi
[[ $version ]] || {
	echo "Debian's mirror, as apt has it here, does not have xen-utils-common for $suite." >&2
	exit 1
}
[[ -d $cache/upstream-$version ]] || unpack "$cache/upstream-$version" >&2
printf '%s\n' "$cache/upstream-$version"
