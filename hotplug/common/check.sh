# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Is a device still as it was attached?

library journal-read

# check_device
# Fails where a resource of the journal is not as it was acquired.
check_device() {
	"${device_kind}_load" || fail "$reason"
	[[ -e $journal_file ]] || fail "$device_id was not attached by these scripts: there is no $journal_file."
	journal_read || fail "$reason"
	check_resources || fail "$device_id is not as it was attached; detach it and attach it again."
}

# check_resources
# Says of each resource in the journal whether it is still there; fails where
# one is not.
check_resources() {
	local first name verdict status=0
	for ((journal_at = 0; journal_at < ${#journal_name[@]}; journal_at++)); do
		name=${journal_name[journal_at]}
		first=${journal_first[journal_at]}
		reason='' verdict=ok
		resource_find "$name"
		resource_optional check "$name" "${journal_values[@]:first:journal_count[journal_at]}" ||
			verdict=broken status=1
		printf '%-7s %s%s\n' "$verdict" "$name" "${reason:+: $reason}"
	done
	return "$status"
}
