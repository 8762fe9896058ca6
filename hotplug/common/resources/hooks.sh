# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a host's administrator wants done besides, after an attach and before a
# detach: the executable files of vif-post.d, beside the scripts. docs/hooks.md
# has the contract; that of *.hook is Xen's (vif-post.d/00-vif-local.hook).

hooks_deadline=8 # seconds, for all of them together: libxl's 40 are for the rest, too

# What they are told, besides the script's parameters and what the call itself says.
hooks_names=(vif vifname dev mac mtu main_ip)

# hooks_acquire
# One that fails, fails the attach.
hooks_acquire() {
	local file facts began=$SECONDS
	hooks_remember
	hooks_find
	((${#hooks_files[@]})) || return 0
	hooks_tell online add
	for file in "${hooks_files[@]}"; do
		hooks_run "$file" || fail "$reason"
	done
}

# hooks_expect
hooks_expect() {
	hooks_remember
}

# hooks_release
# A hook must not keep a device from being detached: one that fails is reported,
# and that is all. Those that were never called for the attach are not now.
hooks_release() {
	local file facts began=$SECONDS called
	journal_recall called called
	[[ $called ]] || return 0
	hooks_find
	((${#hooks_files[@]})) || return 0
	hooks_tell offline remove
	for file in "${hooks_files[@]}"; do
		hooks_run "$file" || hooks_report "$reason"
	done
}

# hooks_find
# Sets hooks_files, in the order of their names; what editors and packages keep
# beside a file is not meant.
hooks_find() {
	local file
	hooks_files=()
	for file in "${0%/*}"/vif-post.d/*; do
		[[ ! -f $file || ! -x $file || $file == *@(~|.bak|.orig|.dpkg-*|.rpm*) ]] || hooks_files+=("$file")
	done
}

# hooks_remember
# The detach knows neither the nodes nor what earlier resources have left.
hooks_remember() {
	local notes=()
	hooks_note "${hooks_names[@]}" "${parameters[@]}"
	journal_remember called y "${notes[@]}"
}

# hooks_note <name>...
# Adds those that have a value to the caller's notes.
hooks_note() {
	while (($#)); do
		[[ ! ${!1-} ]] || notes+=("$1" "${!1}")
		shift
	done
}

# hooks_tell <verb for a vif> <verb for a tap>
# Sets the caller's array facts, NAME=VALUE each.
hooks_tell() {
	local name value command=$1
	[[ $type_if != tap ]] || command=$2
	facts=("command=$command" "type_if=$type_if" "domid=$domid" "devid=$devid" "XENBUS_PATH=$XENBUS_PATH")
	for name in "${hooks_names[@]}" "${parameters[@]}"; do
		journal_recall value "$name"
		facts+=("$name=$value")
	done
}

# hooks_run <file>
# Runs one, with the caller's facts, as long as there is time since the
# caller's began. Where it fails, reason has the sentence.
hooks_run() {
	local left=$((hooks_deadline - SECONDS + began)) all=$((run_last - SECONDS))
	((left < all)) || left=$all
	((left > 0)) || left=1
	failure_trace+=("+ $1")
	helper run --deadline "$left" --input '' -- bash "$hotplug_common/hook-shell.sh" "$1" "$0" "${facts[@]}" && return 0
	# In the helper's sentence the command, in quotes, comes first.
	reason="The hook $1 ${reason#*\' }"
	return 1
}

# hooks_report <sentence>
# Tells the log and the person, and nobody else.
hooks_report() {
	printf '%s\n' "$1" >&2
	helper fail '' "$1" || :
}
