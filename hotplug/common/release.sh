# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What the journal names is released: by a detach, after an attach that failed,
# or was killed.

library journal-read

# release_device
# Releases all that is journalled and, when that went well, forgets the
# device; otherwise the journal stays for the next detach.
release_device() {
	run_tell phase detach
	release_resources
	failure_end
	helper forget --log "$hotplug_name: $verb of $device_id done." "$journal_file" || fail "$reason"
}

# release_resources
# Releases all that the journal names, the last one first, and goes on where
# one of them fails.
release_resources() {
	local release_first release_name
	for ((journal_at = ${#journal_name[@]} - 1; journal_at >= 0; journal_at--)); do
		release_name=${journal_name[journal_at]}
		release_first=${journal_first[journal_at]}
		reason="The release of $release_name failed."
		resource_find "$release_name"
		"${release_name}_release" "${journal_values[@]:release_first:journal_count[journal_at]}" ||
			complain "$reason"
	done
}
