# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The life of a device, from the call that libxl makes to the last line in the
# log. Everything ends in lifecycle_end, the exit trap.

hotplug_name=${0##*/}
journal_file=''
journal_live=''        # set while the journal is written
lifecycle_phase=''     # what a failure means now: attach, publish, collect, or nothing to undo
lifecycle_lock_wait=12 # seconds
lifecycle_signals=(TERM INT HUP)

# Which device it is, for scripts too.
type='' domid='' devid='' # vif, 1, 0
device_id=''              # vif/1/0: also the key of the lock and, with dashes, the name of the journal

# hotplug <argument>...
# The last line of a script. The arguments are libxl's (the verb, type_if=…)
# or a person's (check, plan, help).
hotplug() {
	lifecycle_traps
	lifecycle_arguments "$@"
	if [[ $verb == @(help|--help|-h) ]]; then
		help_print
		return
	fi
	"${device_kind}_identify"
	"${device_kind}_action"
	"lifecycle_$action"
}

# lifecycle_traps
# Whatever ends the script, lifecycle_end comes last.
lifecycle_traps() {
	local signal
	trap lifecycle_end EXIT
	trap 'failure_unexpected "$?" "$BASH_COMMAND" "${BASH_SOURCE[0]##*/}:$LINENO"' ERR
	for signal in "${lifecycle_signals[@]}"; do
		# shellcheck disable=SC2064 # the signal's name is what is wanted now
		trap "fail '$hotplug_name was ended by SIG$signal before it was done; what it had done was undone, try again.'" "$signal"
	done
	trap '' PIPE # a reader that went away must not end a rollback
}

# lifecycle_arguments <argument>...
# Sets verb, and type_if where libxl gives it. Other settings are for others.
lifecycle_arguments() {
	local argument
	verb='' type_if=''
	for argument; do
		case $argument in
		type_if=*) type_if=${argument#*=} ;;
		*=*) ;;
		*) verb=${verb:-$argument} ;;
		esac
	done
}

# lifecycle_identify <type|type...>
# Sets type, domid, devid and device_id from XENBUS_PATH, which libxl gives
# relative to this domain's home in the store.
lifecycle_identify() {
	local path=${XENBUS_PATH:-} shown
	quote shown "$path"
	[[ $path ]] ||
		fail "XENBUS_PATH is not set, so that $hotplug_name does not know its device; libxl sets it, a person may: XENBUS_PATH=backend/$1/DOMID/DEVID."
	if [[ ! $path =~ ^(/local/domain/[0-9]+/)?backend/($1)/(0|[1-9][0-9]{0,4})/(0|[1-9][0-9]{0,9})$ ]]; then
		XENBUS_PATH=''
		fail "XENBUS_PATH is $shown, which is not backend/$1/DOMID/DEVID; $hotplug_name is perhaps the wrong script for this device."
	fi
	type=${BASH_REMATCH[2]} domid=${BASH_REMATCH[3]} devid=${BASH_REMATCH[4]}
	device_id=$type/$domid/$devid
	journal_file=${run_lock_file%/*}/$type-$domid-$devid
}

# lifecycle_attach
# All of the device, or nothing of it.
lifecycle_attach() {
	"${device_kind}_load" || fail "$reason"
	"${device_kind}_accept"
	if "${device_kind}_attached"; then return; fi
	lifecycle_clear_stale
	"${device_kind}_parameters"
	parameters_check_tools
	lifecycle_phase=attach journal_live=1
	lifecycle_start_journal
	resources
	trap '' "${lifecycle_signals[@]}" # the last step is done or not done, and short
	lifecycle_phase=publish
	"${device_kind}_publish"
	lifecycle_phase=''
}

# lifecycle_clear_stale
# What an attach that was killed has left is released before the next one begins.
lifecycle_clear_stale() {
	journal_read || return 0
	resources_release
	[[ ! $failure ]] || exit 1
	journal_clear
}

# lifecycle_start_journal
# An empty file says already that this device is ours to detach.
lifecycle_start_journal() {
	: >"$journal_file" || fail "Cannot write $journal_file; see whether that file system is full or read-only."
}

# lifecycle_detach
# Releases what the journal names; without one (a device that other scripts
# attached) what this script's resources would be by now.
lifecycle_detach() {
	local status=0
	run_last=$run_last_undo
	"${device_kind}_load" || status=$?
	((status != 5)) || fail "$reason"
	((status == 0)) || complain "$reason"
	journal_read || lifecycle_collect
	lifecycle_release
}

# lifecycle_collect
# Nothing was journalled: a failure here means that there is nothing to find.
lifecycle_collect() {
	[[ ! $failure ]] || return 0
	lifecycle_phase=collect resource_mode=collect
	"${device_kind}_accept"
	"${device_kind}_parameters"
	resources
	lifecycle_phase=''
}

# lifecycle_release
# Releases all that is journalled and, when that went well, forgets the
# device; otherwise the journal stays for the next detach.
lifecycle_release() {
	lifecycle_phase=''
	trap '' "${lifecycle_signals[@]}"
	resources_release
	[[ ! $failure ]] || exit 1
	helper forget --log "$hotplug_name: $verb of $device_id done." "$journal_file" || fail "$reason"
}

# lifecycle_rollback
# A failed attach leaves nothing, or the journal that says what.
lifecycle_rollback() {
	local first=$failure first_status=$failure_status
	lifecycle_phase='' failure='' run_last=$run_last_undo
	resources_release
	[[ $failure ]] || helper forget "$journal_file" || :
	failure=$first failure_status=$first_status
}

# lifecycle_check
# Fails where a resource of the journal is not as it was acquired.
lifecycle_check() {
	"${device_kind}_load" || fail "$reason"
	journal_read || fail "$device_id was not attached by these scripts: there is no $journal_file."
	resources_check || fail "$device_id is not as it was attached; detach it and attach it again."
}

# lifecycle_plan
# Fails as the attach would; prints the resources otherwise, and changes nothing.
lifecycle_plan() {
	resource_mode=plan
	"${device_kind}_load" || fail "$reason"
	"${device_kind}_accept"
	"${device_kind}_parameters"
	parameters_check_tools
	resources
}

# lifecycle_none
# A call of libxl's that is not for this kind of interface.
lifecycle_none() {
	:
}

# lifecycle_end
# The exit trap: undo, report, exit status.
lifecycle_end() {
	lifecycle_explain "$?"
	trap - ERR
	set +e
	trap '' "${lifecycle_signals[@]}"
	case $lifecycle_phase in
	publish)
		# It may have been written all the same: the answer was lost.
		"${device_kind}_unpublish"
		lifecycle_rollback
		;;
	attach) lifecycle_rollback ;;
	collect)
		failure=''
		lifecycle_release
		;;
	esac
	[[ $failure ]] || exit 0
	lifecycle_report
	exit 1
}

# lifecycle_explain <status>
# bash ends a script that expands a variable which is not set, and asks no
# other trap than the last.
lifecycle_explain() {
	(($1 == 0)) || [[ $failure || $lifecycle_phase == collect ]] ||
		complain "$hotplug_name stopped with status $1 before it was done; this is a defect of the script, see the line that bash printed, and please report it."
}

# lifecycle_report
# Tells the store, the log and standard error. A person who only asks does not
# change the store.
lifecycle_report() {
	local path=${XENBUS_PATH:-}
	[[ $verb != @(check|plan) ]] || path=''
	printf '%s\n' "$failure" >&2
	helper fail --status "$failure_status" "$path" "$failure" \
		"$hotplug_name: $verb of ${device_id:-no device} failed." "${failure_trace[@]}" ||
		printf '%s\n' "${reason##*$'\n'}" >&2
}
