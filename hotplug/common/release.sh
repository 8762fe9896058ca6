# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the journal names is released: by a detach, after an attach that failed,
# or was killed.

library journals

# release_device
# Releases all that is journalled and, when that went well, forgets the
# device; otherwise the journal stays for the next detach.
release_device() {
	lifecycle_phase=''
	trap '' "${lifecycle_signals[@]}"
	release_resources
	lifecycle_end_failed
	helper forget --log "$hotplug_name: $verb of $device_id done." "$journal_file" || fail "$reason"
}

# release_rollback
# A failed attach leaves nothing, or the journal that says what.
release_rollback() {
	local first=$failure first_status=$failure_status
	lifecycle_phase='' failure='' run_last=$run_last_undo
	release_resources
	[[ $failure ]] || helper forget "$journal_file" || :
	failure=$first failure_status=$first_status
}

# release_read
# Reads the files of all that the journal names.
release_read() {
	local name
	for name in "${journal_name[@]}"; do
		resource_read "$name" || :
	done
}

# release_resources
# Releases all that the journal names, the last one first, and goes on where
# one of them fails.
release_resources() {
	local first name
	run_meanwhile+=(release_read)
	for ((journal_at = ${#journal_name[@]} - 1; journal_at >= 0; journal_at--)); do
		name=${journal_name[journal_at]}
		first=${journal_first[journal_at]}
		reason="The release of $name failed."
		resource_find "$name"
		"${name}_release" "${journal_values[@]:first:journal_count[journal_at]}" ||
			complain "$reason"
	done
}
