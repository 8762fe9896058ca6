# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Releases what the journal names: for a detach, and after an attach that failed or
# was killed.

library journal-read

# release_device
# Releases all that is journalled and, when that went well, forgets the
# device; otherwise the journal stays for the next detach.
release_device() {
	run_tell phase detach
	release_resources
	failure_end
	# Not before: as long as something is held, the nodes say whose it is.
	! "${device_kind}_is_named" || "${device_kind}_unpublish" || :
	journal_forget --log "$hotplug_name: $verb of $device_id done."
}

# release_journal
# Releases what the device's file names; ends the run where something is left.
release_journal() {
	[[ -e $journal_file ]] || return 0
	journal_read || fail "$reason"
	release_resources
	failure_end
}

# release_resources
# Releases all that the journal names, the last one first, and goes on where one of
# them fails; not where one is unknown, which may use what is below it. Of a journal of
# an earlier boot, only what outlives a boot.
release_resources() {
	local release_at release_verb=release
	journal_current || release_verb=sweep
	for ((release_at = ${#journal_name[@]} - 1; release_at >= 0; release_at--)); do
		journal_select "$release_at"
		reason="Cannot release $journal_resource, which gave no reason; look at the system log, then detach the device again."
		if [[ $release_verb == sweep ]]; then
			resource_has_sweep "$journal_resource" || continue
		else
			resource_find "$journal_resource"
		fi
		"${journal_resource}_$release_verb" "${journal_arguments[@]}" || complain "$reason"
	done
}
