# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# From the call that libxl makes to what is done for it.

# The helper sets these from the arguments and XENBUS_PATH (helpers/call/arguments.h),
# for scripts too:
: "${type=}" "${domid=}" "${devid=}" # vif, 1, 0; empty where the path names no device
: "${device_id=}"                    # vif/1/0: also the key of the lock
: "${verb=}" "${type_if=}"           # as libxl calls it
: "${action=}"                       # attach, detach, undo, check, repair, plan or help; empty where the verb is none

# hotplug <argument>...
# The last line of a script. The arguments are libxl's (the verb, type_if=…)
# or a person's (check, repair, plan, help); the helper has parsed them.
hotplug() {
	run_tell phase ask
	[[ $hotplug_undo ]] || lifecycle_declared
	[[ $action == help ]] || lifecycle_accept
	library "${action}"
	# Bash keeps the lock file (lock_descriptor) open in a place of its own, which
	# no command inherits: a daemon of an author's would hold the device's lock.
	"${action}_device" 4<&-
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
	# A check takes them from the journal (stray.sh has no others).
	declare -F resources >/dev/null || [[ $action == check ]] || failure_author 'the script has to say what a device is made of: resources() { use RESOURCE …; }.'
	[[ $device_kind == vif || ! ${parameter_type[target]-} || ${#parameters[@]} == 0 ]] ||
		failure_author 'the script declares a target and a param; a disk has either its whole target or a list of parameters.'
	parameters_check_types
}

# lifecycle_accept
# Fails unless XENBUS_PATH, which libxl gives relative to this domain's home in the
# store, names a device that the script serves, and the verb is one of that.
lifecycle_accept() {
	local IFS='|'
	[[ $type && "|${device_types[*]}|" == *"|$type|"* ]] || lifecycle_refuse_path "backend/${device_types[*]}/DOMID/DEVID"
	[[ $action ]] || lifecycle_refuse_verb
}

# lifecycle_refuse_path <what it should be>
lifecycle_refuse_path() {
	local shown
	[[ ${XENBUS_PATH:-} ]] ||
		fail "XENBUS_PATH is not set, so that $hotplug_name does not know its device; libxl sets it, a person may: XENBUS_PATH=$1."
	run_tell phase foreign
	quote shown "$XENBUS_PATH"
	fail "XENBUS_PATH is $shown, which is not $1; $hotplug_name is perhaps the wrong script for this device."
}

# lifecycle_refuse_verb
lifecycle_refuse_verb() {
	local shown
	quote shown "$type_if"
	[[ $device_kind != vif || $type_if == @(vif|tap) ]] ||
		fail "type_if is $shown, but must be vif or tap; let libxl call $hotplug_name, or leave type_if= out."
	quote shown "$verb"
	fail "$hotplug_name was called with $shown; libxl calls it with $device_verbs, a person with check, repair, plan or help."
}
