# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# From the call that libxl makes to what is done for it.

# Which device it is, for scripts too.
type='' domid='' devid='' # vif, 1, 0
device_id=''              # vif/1/0: also the key of the lock and, with dashes, the name of the journal
verb='' type_if='' action=''

# hotplug <argument>...
# The last line of a script. The arguments are libxl's (the verb, type_if=…)
# or a person's (check, plan, help).
hotplug() {
	run_tell phase ask
	[[ $hotplug_undo ]] || lifecycle_declared
	lifecycle_arguments "$@"
	if [[ $verb == @(help|--help|-h) ]]; then
		library help
		help_print
		return
	fi
	"${device_kind}_identify"
	lifecycle_action
	[[ $action != none ]] || return 0
	library "$action"
	# Bash keeps the lock file (lock_descriptor) open in a place of its own, which
	# no command inherits: a daemon of an author's would hold the device's lock.
	"${action}_device" 4<&-
}

# lifecycle_action
# Sets action: from the verb, unless the helper starts the script to clear up.
lifecycle_action() {
	case $hotplug_undo in
	'') "${device_kind}_action" ;;
	stale) action=gc ;;
	*) action=undo ;;
	esac
}

# lifecycle_answer <status>
# Ends a script that is about no device, and whose exit status is its answer.
lifecycle_answer() {
	run_tell phase answer
	exit "$1"
}

# lifecycle_declared
# Refuses a script without what every script declares.
lifecycle_declared() {
	[[ $device_kind ]] || failure_author "the script has to say what it is for: device block|vif 'SENTENCE'."
	declare -F resources >/dev/null || failure_author 'the script has to say what a device is made of: resources() { use RESOURCE …; }.'
	[[ ! $target_type || ${#parameters[@]} == 0 ]] ||
		failure_author 'the script declares a target and a param; a disk has either its whole target or a list of parameters.'
	parameters_check_types
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
		run_tell device '' ''
		fail "XENBUS_PATH is $shown, which is not backend/$1/DOMID/DEVID; $hotplug_name is perhaps the wrong script for this device."
	fi
	type=${BASH_REMATCH[2]} domid=${BASH_REMATCH[3]} devid=${BASH_REMATCH[4]}
	device_id=$type/$domid/$devid
	journal_locate "$type-$domid-$devid"
	[[ $verb == @(check|plan) ]] || run_tell device "$XENBUS_PATH" "$device_id"
}
