# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Node records: the text files in which iscsiadm looks up how to log in. An
# existing record is used unchanged, except for what a single login needs;
# otherwise one is created, and deleted with the session.
#
# What a login needs is appended to the file, where a later line wins, and
# truncated after the login. iscsiadm itself accepts the secret only as an
# argument, which every user of the host could see. iscsid keeps it in memory.

iscsi_record_roots=(/etc/iscsi /var/lib/iscsi) # Debian and SUSE; Fedora
iscsi_record_made='# Made by xen-hotplug: it goes with the last guest.'
iscsi_record_lent='# For one login by xen-hotplug:'

# iscsid continues a login even if iscsiadm is killed, so it has to give up before
# iscsiadm's deadline. It checks the time after each failure, 3 s apart.
iscsi_record_login_timeout=5

# Set by iscsi_record_find and iscsi_record_make: the files, one for each interface
# that the administrator has bound the target to.
iscsi_record_files=()

# iscsi_record_find <iqn> <portal>
# Sets iscsi_record_files.
iscsi_record_find() {
	local root file
	iscsi_record_files=()
	for root in "${iscsi_record_roots[@]}"; do
		for file in "$root/nodes/$1/$2" "$root/nodes/$1/$2",*/*; do
			[[ ! -f $file ]] || iscsi_record_files+=("$file")
		done
	done
}

# iscsi_record_make <iqn> <portal>
# Sets iscsi_record_files; fails with reason set. An existing record may be from
# another guest's attach that was killed before it could mark it.
iscsi_record_make() {
	iscsi_record_find "$@"
	if ((${#iscsi_record_files[@]})); then
		! journal_shared "record $1 $2" y || journal_remember "record $1 $2" y
		return 0
	fi
	iscsi_portals_ask "$2"
	journal_remember "record $1 $2" y
	run iscsiadm --mode node --targetname "$1" --portal "$iscsi_portals_option" --op new || return
	iscsi_record_find "$@"
	((${#iscsi_record_files[@]})) || iscsi_record_lost "$@" || return
	# Not at boot: the guest's attach logs in.
	printf '%s\n' "$iscsi_record_made" 'node.startup = manual' 2>/dev/null >>"${iscsi_record_files[0]}" || iscsi_record_full "${iscsi_record_files[0]}"
}

# iscsi_record_lost <iqn> <portal>
iscsi_record_lost() {
	reason="iscsiadm created a node record for $1 at $2, but in none of: ${iscsi_record_roots[*]/%//nodes}; please report where it is."
	return 1
}

# iscsi_record_full <file>
iscsi_record_full() {
	reason="Cannot write $1; see whether that file system is full or read-only."
	return 1
}

# iscsi_record_lend [line]...
# Appends the lines and time-outs to iscsi_record_files, until iscsi_record_restore.
# Fails with reason set.
iscsi_record_lend() {
	local file lines=("$iscsi_record_lent" 'node.session.initial_login_retry_max = 1'
		"node.conn[0].timeo.login_timeout = $iscsi_record_login_timeout" 'node.conn[0].timeo.logout_timeout = 5' "$@")
	iscsi_record_restore || return
	for file in "${iscsi_record_files[@]}"; do
		printf '%s\n' "${lines[@]}" 2>/dev/null >>"$file" || iscsi_record_full "$file" || return
	done
}

# iscsi_record_restore
# Truncates iscsi_record_files to what they were, each in one step that a kill
# cannot split. Fails with reason set.
iscsi_record_restore() {
	local file text rest
	for file in "${iscsi_record_files[@]}"; do
		text=''
		IFS= read -r -d '' text 2>/dev/null <"$file" || :
		rest=${text%%"$iscsi_record_lent"*}
		((${#rest} == ${#text})) || run truncate --size "${#rest}" -- "$file" || return
	done
}

# iscsi_record_remove <iqn> <portal>
# Deletes the record if we created it, or if it is marked as ours (after a crash
# of this host). Fails with reason set.
iscsi_record_remove() {
	local ours lines
	iscsi_record_find "$@"
	((${#iscsi_record_files[@]})) || return 0
	iscsi_record_restore || return
	journal_recall ours "record $1 $2"
	mapfile -t lines 2>/dev/null <"${iscsi_record_files[0]}" || return 0
	[[ $ours || " ${lines[*]} " == *" $iscsi_record_made "* ]] || return 0
	iscsi_portals_ask "$2"
	run iscsiadm --mode node --targetname "$1" --portal "$iscsi_portals_option" --op delete || {
		iscsi_record_find "$@"
		((${#iscsi_record_files[@]} == 0))
	}
}
