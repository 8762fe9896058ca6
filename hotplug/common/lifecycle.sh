# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The life of a device, from the call that libxl makes to the last line in the
# log. Everything ends in lifecycle_end, the exit trap.

hotplug_name=${0##*/}
journal_file=''
journal_live=''        # set while the journal is written
lifecycle_phase=''     # what a failure means now: attach, publish, collect, or nothing to undo
lifecycle_lock_wait=12 # seconds
resource_mode=acquire  # what use does: acquire, collect or plan
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
		library help
		help_print
		return
	fi
	"${device_kind}_identify"
	"${device_kind}_action"
	[[ $action != none ]] || return 0
	library "$action"
	"${action}_device"
}

# lifecycle_traps
# Whatever ends the script, lifecycle_end comes last.
lifecycle_traps() {
	local signal
	trap lifecycle_end EXIT
	trap 'failure_unexpected "$?" "$BASH_COMMAND" "${BASH_SOURCE[0]##*/}:$LINENO"' ERR
	for signal in "${lifecycle_signals[@]}"; do
		# shellcheck disable=SC2064 # the signal's name is what is wanted now
		trap "run_interrupt '$hotplug_name was ended by SIG$signal before it was done; what it had done was undone, try again.'" "$signal"
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
	local shown
	[[ ${XENBUS_PATH:-} ]] ||
		fail "XENBUS_PATH is not set, so that $hotplug_name does not know its device; libxl sets it, a person may: XENBUS_PATH=backend/$1/DOMID/DEVID."
	if [[ ! $XENBUS_PATH =~ ^(/local/domain/[0-9]+/)?backend/($1)/(0|[1-9][0-9]{0,4})/(0|[1-9][0-9]{0,9})$ ]]; then
		quote shown "$XENBUS_PATH"
		XENBUS_PATH=''
		fail "XENBUS_PATH is $shown, which is not backend/$1/DOMID/DEVID; $hotplug_name is perhaps the wrong script for this device."
	fi
	type=${BASH_REMATCH[2]} domid=${BASH_REMATCH[3]} devid=${BASH_REMATCH[4]}
	device_id=$type/$domid/$devid
	journal_file=${run_lock_file%/*}/$type-$domid-$devid
}

# lifecycle_end
# The exit trap: undo, report, exit status.
lifecycle_end() {
	lifecycle_explain "$?"
	trap - ERR
	set +e
	trap '' "${lifecycle_signals[@]}"
	run_interrupted=''
	run_await || complain "$reason"
	[[ ! $lifecycle_phase ]] || lifecycle_undo
	[[ $failure ]] || exit 0
	lifecycle_report
	exit 1
}

# lifecycle_undo
# What the phase has begun.
lifecycle_undo() {
	library release
	case $lifecycle_phase in
	publish)
		# It may have been written all the same: the answer was lost.
		"${device_kind}_unpublish"
		release_rollback
		;;
	attach) release_rollback ;;
	collect)
		failure=''
		release_device
		;;
	esac
}

# lifecycle_end_failed
# Ends the run where a release has complained.
lifecycle_end_failed() {
	[[ ! $failure ]] || exit 1
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
