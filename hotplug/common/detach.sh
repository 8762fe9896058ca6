# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a device has goes again, whoever attached it.

run_meanwhile+=(detach_rest)

# detach_device
# Releases what the journal names; without one (a device that other scripts
# attached) what this script's resources would be by now.
detach_device() {
	local status=0
	run_last=$run_last_undo
	"${device_kind}_load" || status=$?
	((status != 5)) || fail "$reason"
	((status == 0)) || complain "$reason"
	journal_read || detach_collect
	release_device
}

# detach_rest
# Reads what is needed when the store has answered.
detach_rest() {
	library release
}

# detach_collect
# Nothing was journalled: a failure here means that there is nothing to find.
detach_collect() {
	[[ ! $failure ]] || return 0
	lifecycle_phase=collect resource_mode=collect
	"${device_kind}_accept"
	"${device_kind}_parameters"
	resources
	lifecycle_phase=''
}
