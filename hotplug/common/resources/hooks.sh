# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The administrator's hooks, run after an attach and before a detach: the
# executable files in vif-post.d, in the scripts' directory. The contract is in
# docs/hooks.md; for *.hook it is Xen's (vif-post.d/00-vif-local.hook).

hooks_deadline=8 # seconds for all hooks together, out of libxl's 40

# The facts that they get, in addition to the script's parameters and the call's own.
hooks_names=(vif vifname dev mac mtu main_ip)

hooks_files=() # set by hooks_find
hooks_facts=() # set by hooks_tell: NAME=VALUE each
hooks_notes=() # set by hooks_note: name and value of each fact that has one
hooks_ends=0   # when the hooks' time is up, in SECONDS

# hooks_acquire
# A hook that fails makes the attach fail.
hooks_acquire() {
	local hooks_file
	hooks_remember
	hooks_find
	((${#hooks_files[@]})) || return 0
	hooks_tell online add
	for hooks_file in "${hooks_files[@]}"; do
		hooks_run "$hooks_file" || fail "$reason"
	done
}

# hooks_expect
hooks_expect() {
	hooks_remember
}

# hooks_release
# A hook that fails is only reported, because it must not prevent the detach. If
# the attach never reached the hooks, none is run.
hooks_release() {
	local file called
	journal_recall called called
	[[ $called ]] || return 0
	hooks_find
	((${#hooks_files[@]})) || return 0
	hooks_tell offline remove
	for file in "${hooks_files[@]}"; do
		hooks_run "$file" || warn "$reason"
	done
}

# hooks_find
# Sets hooks_files, in the order of their names, without the backup copies of
# editors and package managers.
hooks_find() {
	local file
	hooks_files=()
	for file in "${0%/*}"/vif-post.d/*; do
		[[ ! -f $file || ! -x $file || $file == *@(~|.bak|.orig|.dpkg-*|.rpm*) ]] || hooks_files+=("$file")
	done
}

# hooks_remember
# Records the facts, because a detach has neither the nodes nor the variables that
# earlier resources set.
hooks_remember() {
	hooks_note "${hooks_names[@]}" "${parameters[@]}"
	journal_remember called y "${hooks_notes[@]}"
}

# hooks_note <name>...
# Sets hooks_notes. Here and in its callers, a local without the prefix would hide a
# parameter of its name.
hooks_note() {
	hooks_notes=()
	while (($#)); do
		[[ ! ${!1-} ]] || hooks_notes+=("$1" "${!1}")
		shift
	done
}

# hooks_tell <verb for a vif> <verb for a tap>
# Sets hooks_facts, and begins the hooks' time.
hooks_tell() {
	local name value
	command=$1
	[[ $type_if != tap ]] || command=$2
	hooks_ends=$((SECONDS + hooks_deadline))
	hooks_facts=("command=$command" "type_if=$type_if" "domid=$domid" "devid=$devid" "XENBUS_PATH=$XENBUS_PATH")
	for name in "${hooks_names[@]}" "${parameters[@]}"; do
		journal_recall value "$name"
		hooks_facts+=("$name=$value")
	done
}

# hooks_run <file>
# Runs one, with hooks_facts, until hooks_ends. Fails with reason set.
hooks_run() {
	local left=$(((hooks_ends < run_last ? hooks_ends : run_last) - SECONDS))
	((left > 0)) || left=1
	helper run --deadline "$left" --input '' -- bash "$hotplug_common/lib/hook-shell.sh" "$1" "$0" "${hooks_facts[@]}" && return 0
	# Replaces the command, which the helper's message begins with, by the hook.
	reason="The hook $1 ${reason#*\' }"
	return 1
}
