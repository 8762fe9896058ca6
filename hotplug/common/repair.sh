# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Restores those of a device's resources that other programs have removed, such as
# firewall rules. It reads no node, so that it works while xenstored does not.

library journal-read
library check

# repair_device
# Fails where a resource that can be repaired is still not as it was acquired.
repair_device() {
	lock "$device_id" || fail "$reason"
	[[ -e $journal_file ]] || fail "$device_id was not attached by these scripts: there is no $journal_file."
	journal_read || fail "$reason"
	journal_current || fail "$reason"
	repair_resources
	failure_end
}

# repair_resources
repair_resources() {
	local repair_at
	for ((repair_at = 0; repair_at < ${#journal_name[@]}; repair_at++)); do
		journal_select "$repair_at"
		resource_find "$journal_resource"
		! declare -F "${journal_resource}_repair" >/dev/null || repair_resource "$repair_at"
	done
}

# repair_resource <index>
# Complains where it stays broken. What succeeded is not checked again, because guests
# wait for it.
repair_resource() {
	local repair_why
	check_resource "$1" && return 0
	repair_why=$reason reason=''
	if "${journal_resource}_repair" "${journal_arguments[@]}"; then
		warn "$device_id: $journal_resource was restored. $repair_why"
	else
		complain "$device_id: $journal_resource cannot be restored. ${reason:-$repair_why}"
	fi
}
