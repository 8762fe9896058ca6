#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# Runs a hook: bash hook-shell.sh FILE SCRIPT NAME=VALUE...
#
# A program is executed with the facts in its environment. *.hook is sourced, as
# by Xen's scripts, with the functions of theirs that hooks call. These do the
# same, except that only the script writes the device's nodes.
set -Eeuo pipefail

# log <level> <word>...
log() {
	logger --priority "daemon.$1" --tag xen-hotplug -- "${0##*/}:" "${@:2}"
}

# fatal <word>...
# The message becomes part of the script's, which is written to hotplug-error.
fatal() {
	printf '%s\n' "$*" >&2
	exit 1
}

# success
# Does nothing: the script reports success itself, when all is done.
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

# In capitals, which no parameter has: a fact may have any other name.
HOOK_FILE=$1 BASH_ARGV0=$2
dir=${0%/*}
export "${@:3}"
[[ $HOOK_FILE == *.hook ]] || exec "$HOOK_FILE"
set -- "$command" "type_if=$type_if"
set +Eu +o pipefail # as there
# shellcheck source=/dev/null
. "$HOOK_FILE"
