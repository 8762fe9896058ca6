#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# A hook's own shell: bash hook-shell.sh FILE SCRIPT NAME=VALUE...
#
# A program is run with the facts in its environment. *.hook is sourced, under
# errexit and with the functions of Xen's that hooks call. They do here what
# they do there, but for the nodes: those are the script's to write.
set -Eeuo pipefail

# log <level> <word>...
log() {
	logger --priority "daemon.$1" --tag xen-hotplug -- "${0##*/}:" "${@:2}"
}

# fatal <word>...
# The sentence goes into the script's, and that into hotplug-error.
fatal() {
	printf '%s\n' "$*" >&2
	exit 1
}

# success
# The script says itself that all is done, when it is.
success() {
	:
}

# do_or_die <command>...
do_or_die() {
	"$@" || fatal "$* failed"
}

# do_without_error <command>...
do_without_error() {
	"$@" 2>/dev/null || log debug "$* failed"
}

# xenstore_read <path>...
xenstore_read() {
	xenstore-read "$@" || fatal "xenstore-read $* failed"
}

# xenstore_read_default <path> <default>
xenstore_read_default() {
	xenstore-read "$1" 2>/dev/null || printf '%s\n' "$2"
}

# xenstore_write <path> <value>...
xenstore_write() {
	xenstore-write "$@" || fatal "xenstore-write $* failed"
}

hook_file=$1 BASH_ARGV0=$2
export "${@:3}"
[[ $hook_file == *.hook ]] || exec "$hook_file"
dir=${0%/*}
set -- "$command" "type_if=$type_if"
set +Eu +o pipefail # as there
# shellcheck source=/dev/null
. "$hook_file"
