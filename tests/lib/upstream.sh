#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# Unpacks, never installs, Debian's packages of Xen's own scripts and tests
# into a cache outside the tree, once a version, and prints the directory.
set -Eeuo pipefail

packages=(xen-utils-common xen-utils-4.17)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/xen-hotplug

version=$(apt-cache show --no-all-versions "${packages[0]}" | sed -n 's/^Version: //p')
[[ $version ]] || { apt-get update >&2 && exec "$0"; }
dir=$cache/upstream-$version
if [[ ! -d $dir ]]; then
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new.XXXXXX")
	trap 'rm -rf -- "$new"' EXIT
	# apt-get's own sandbox user cannot write here; it says so and goes on.
	(cd "$new" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}")
	for package in "$new"/*.deb; do
		dpkg -x "$package" "$new"
	done
	chmod 0755 "$new"
	mv -T -n "$new" "$dir"
fi
printf '%s\n' "$dir"
