# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What CHAP proves itself with. A guest's configuration names the user; the
# secret is in a file of the administrator's, which only root can read, and
# holds for one target: a configuration can neither read other files nor send
# a secret to where it was not meant for.

# A line each: TARGET USER SECRET. What begins with # is a comment.
iscsi_secrets_file=${hotplug_config%/*}/iscsi-secrets

# iscsi_secrets_get <out-var> <iqn> <user>
# Fails the attach where there is none, or others than root may see the file.
iscsi_secrets_get() {
	local line_iqn line_user line_secret
	[[ -f $iscsi_secrets_file ]] ||
		fail "The secret of the CHAP user '$3' is to be in $iscsi_secrets_file, which does not exist; make it, for root alone, with the line: $2 $3 SECRET."
	run stat --dereference --format '%u %a' -- "$iscsi_secrets_file" || fail "Cannot look at $iscsi_secrets_file: $reason"
	[[ $output =~ ^0\ [0-7]?[0-7]00[[:space:]]*$ ]] ||
		fail "$iscsi_secrets_file can be read by others than root, so what is in it is no secret; chown root and chmod 600 it, and change the secrets."
	while read -r line_iqn line_user line_secret || [[ $line_iqn ]]; do
		[[ $line_iqn == "$2" && $line_user == "$3" && $line_secret ]] || continue
		printf -v "$1" '%s' "$line_secret"
		return
	done <"$iscsi_secrets_file"
	fail "$iscsi_secrets_file has no secret of the CHAP user '$3' for the target '$2'; add the line: $2 $3 SECRET."
}
