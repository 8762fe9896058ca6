# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The secrets for CHAP. A guest's configuration names the user; the secret is in
# a file that only root can read, and is for one target. So a configuration can
# neither read other files nor send a secret to another server.

# One line each: TARGET USER SECRET. A line that begins with # is a comment.
iscsi_secrets_file=${hotplug_config%/*}/iscsi-secrets

iscsi_secrets_found='' # set by iscsi_secrets_find

# iscsi_secrets_find <iqn> <user>
# Fails the attach if there is none, or if users other than root can read the file.
iscsi_secrets_find() {
	local line_iqn line_user line_secret
	[[ -f $iscsi_secrets_file ]] ||
		fail "$iscsi_secrets_file, which should hold the secret of the CHAP user '$2', does not exist; create it, mode 600, with the line: $1 $2 SECRET."
	run stat -L -c '%u %a' -- "$iscsi_secrets_file" || fail "Cannot read the permissions of $iscsi_secrets_file: $reason"
	[[ $run_output =~ ^0\ [0-7]?[0-7]00[[:space:]]*$ ]] ||
		fail "$iscsi_secrets_file is readable by users other than root; chown root and chmod 600 it, then change the secrets in it."
	while read -r line_iqn line_user line_secret || [[ $line_iqn ]]; do
		[[ $line_iqn == "$1" && $line_user == "$2" && $line_secret ]] || continue
		iscsi_secrets_found=$line_secret
		return
	done <"$iscsi_secrets_file"
	fail "$iscsi_secrets_file has no secret for the CHAP user '$2' of the target '$1'; add the line: $1 $2 SECRET."
}
