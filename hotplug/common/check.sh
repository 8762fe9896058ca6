# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Is a device still as it was attached?

library journal-read

# check_device
# Fails where a resource of the journal is not as it was acquired.
check_device() {
	store_load || fail "$reason"
	[[ -e $journal_file ]] || fail "$device_id was not attached by these scripts: there is no $journal_file."
	journal_read || fail "$reason"
	check_resources || fail "$device_id is not as it was attached; detach it and attach it again."
	resources_look
}

# check_resources
# Says of each resource in the journal whether it is still there, or that it has no
# check; fails where one is not there. helpers/devices/verdicts.c parses the lines.
check_resources() {
	local check_at check_verdict check_status=0
	for ((check_at = 0; check_at < ${#journal_name[@]}; check_at++)); do
		check_verdict=ok
		check_resource "$check_at" || check_verdict=broken check_status=1
		declare -F "${journal_resource}_check" >/dev/null || check_verdict='not checked'
		printf '%-7s %s%s\n' "$check_verdict" "$journal_resource" "${reason:+: $reason}"
	done
	return "$check_status"
}

# check_resource <index>
# Fails with reason set.
check_resource() {
	journal_select "$1"
	reason=''
	resource_find "$journal_resource"
	resource_optional check "$journal_resource" "${journal_arguments[@]}"
}

# check_held
# Is the device attached as its journal says, to its end? Fails with reason set.
check_held() {
	local check_at
	reason="There is no $journal_file."
	[[ -e $journal_file ]] && journal_read && journal_current || return
	reason='Its attach was not completed.'
	((${#journal_published[@]})) || return
	for ((check_at = 0; check_at < ${#journal_name[@]}; check_at++)); do
		check_resource "$check_at" || return
	done
}
