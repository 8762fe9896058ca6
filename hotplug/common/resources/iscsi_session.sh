# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A session with an iSCSI target, by open-iscsi (iscsiadm, iscsid). A session that
# existed before is used, and kept. Ours are shared by all guests that have LUNs of
# the target, and end with the last of them.

library lib/iscsi_portals
library lib/iscsi_record
library lib/iscsi_secrets
library journal-read
library lib/sysfs

# Set by iscsi_session_acquire: those of this disk, by their names in sysfs: session3
iscsi_session_names=()

# Set by iscsi_session_find, iscsi_session_login and iscsi_session_is_settled: those with
# one portal
iscsi_session_found=()

iscsi_session_portals=()   # the disk's, as in iscsi_portals_list
iscsi_session_auth=()      # lines for the record; if it is empty, the record's own settings apply
iscsi_session_excuse=''    # why the first login failed
iscsi_session_state=''     # what iscsi_session_is_online has read last
iscsi_session_reopening='' # set if iscsid refused to log out

iscsi_session_patience=9 # seconds that a login may take, including iscsid's part after iscsiadm was killed
iscsi_session_leaving=8  # seconds that a session may take to end after iscsiadm gave up

iscsi_session_arguments='IQN PORTALS MULTIPATH DISCOVERY AUTH-METHOD USER'

# iscsi_session_acquire <iqn> <portals> <multipath: y|n> <discovery: y|n> <auth_method> <user>
# Sets iscsi_session_names: one, or for multipath one for each portal that accepts the login.
iscsi_session_acquire() {
	local portal
	iscsi_session_choose "$1" "$5" "$6"
	lock "iscsi/$1" || fail "$reason"
	iscsi_session_locate "$1" "$2" "$4"
	iscsi_session_names=() iscsi_session_excuse=''
	for portal in "${iscsi_session_portals[@]}"; do
		[[ $3 == y ]] || ((${#iscsi_session_names[@]} == 0)) || break
		# No failure, if another portal accepts a login.
		iscsi_session_open "$1" "$portal" "$6" || iscsi_session_excuse=${iscsi_session_excuse:-$reason}
	done
	((${#iscsi_session_names[@]})) || fail "$iscsi_session_excuse"
}

# iscsi_session_plan <iqn> <portals> <multipath> <discovery> <auth_method> <user>
iscsi_session_plan() {
	iscsi_session_choose "$1" "$5" "$6"
}

# iscsi_session_release <iqn> <portals>...
# Fails if a session of ours does not end.
iscsi_session_release() {
	local portal status=0
	iscsi_session_recall
	((${#iscsi_session_portals[@]})) || iscsi_session_adopt "$1" "$2"
	((${#iscsi_session_portals[@]})) || return 0
	lock "iscsi/$1" || return
	for portal in "${iscsi_session_portals[@]}"; do
		iscsi_session_close "$1" "$portal" || status=1
	done
	return "$status"
}

# iscsi_session_recall
# Sets iscsi_session_portals from the journal.
iscsi_session_recall() {
	local remembered
	journal_recall remembered portals
	read -ra iscsi_session_portals <<<"$remembered"
}

# iscsi_session_sweep <iqn> <portals>...
# Removes our records. A session is of this boot, and not ours.
iscsi_session_sweep() {
	local portal
	iscsi_session_recall
	for portal in "${iscsi_session_portals[@]}"; do
		iscsi_session_find "$1" "$portal"
		((${#iscsi_session_found[@]})) || iscsi_record_remove "$1" "$portal" || return
	done
}

# iscsi_session_adopt <iqn> <portals>
# Takes over the session of a disk that Xen's script attached, which is recognized
# by the missing node `node`. The session is the script's, as it refuses a target
# that has one. Sets iscsi_session_portals.
iscsi_session_adopt() {
	local portal
	[[ ! -f $journal_file && ${store_value["physical-device"]-} && ! ${store_value[node]-} ]] &&
		iscsi_portals_parse "$2" || return 0
	iscsi_session_portals=("${iscsi_portals_list[@]}")
	for portal in "${iscsi_session_portals[@]}"; do
		journal_note "login $1 $portal" y
	done
}

# iscsi_session_check <iqn> <portals>...
# One session that is logged in is enough.
iscsi_session_check() {
	local portal session
	iscsi_session_recall
	for portal in "${iscsi_session_portals[@]}"; do
		iscsi_session_find "$1" "$portal"
		for session in "${iscsi_session_found[@]}"; do
			! iscsi_session_is_online "$session" || return 0
		done
	done
	reason="No session with $1 is logged in."
	return 1
}

# iscsi_session_choose <iqn> <auth_method> <user>
# Sets iscsi_session_auth.
iscsi_session_choose() {
	[[ $2 != CHAP || $3 ]] ||
		fail "auth_method=CHAP needs a user name; add user= to the guest's configuration."
	[[ $2 != None || ! $3 ]] ||
		fail "auth_method=None and user= contradict each other; remove one of them from the guest's configuration."
	iscsi_session_auth=()
	[[ ! $2 ]] || iscsi_session_auth=("node.session.auth.authmethod = $2")
	[[ $3 ]] || return 0
	iscsi_secrets_find "$1" "$3"
	iscsi_session_auth=('node.session.auth.authmethod = CHAP' "node.session.auth.username = $3"
		"node.session.auth.password = $iscsi_secrets_found")
}

# iscsi_session_locate <iqn> <portals> <discovery>
# Sets iscsi_session_portals: those given, or those discovered.
iscsi_session_locate() {
	iscsi_portals_parse "$2" || fail "Parameter portal is not $expected; correct the guest's configuration."
	iscsi_session_portals=("${iscsi_portals_list[@]}")
	[[ $3 == n ]] || iscsi_session_discover "$1"
	journal_remember portals "${iscsi_session_portals[*]}"
}

# iscsi_session_discover <iqn>
# Sets iscsi_session_portals to those that the first of them that answers reports.
# iscsiadm keeps no record of the discovery.
iscsi_session_discover() {
	local portal name answered=''
	for portal in "${iscsi_session_portals[@]}"; do
		iscsi_portals_ask "$portal"
		! run iscsiadm --mode discovery --type sendtargets --portal "$iscsi_portals_option" --op nonpersistent || answered=y
		[[ ! $answered ]] || break
	done
	[[ $answered ]] || fail "Cannot ask $iscsi_portals_option for the portals of $1: $reason"
	iscsi_portals_clear
	while read -r portal name && ((${#iscsi_portals_list[@]} < iscsi_portals_most)); do
		[[ $name != "$1" ]] || iscsi_portals_take "${portal%,*}" || :
	done <<<"$run_output"
	((${#iscsi_portals_list[@]})) || fail "The server at $iscsi_portals_option has no target $1, or does not show it to this host; correct iqn= in the guest's configuration, or allow this host there."
	iscsi_session_portals=("${iscsi_portals_list[@]}")
}

# iscsi_session_find <iqn> <portal>
# Sets iscsi_session_found to the sessions that exist.
iscsi_session_find() {
	local session name
	iscsi_session_found=()
	for session in /sys/class/iscsi_session/session*; do
		sysfs_read name "$session/targetname" || continue
		[[ $name != "$1" ]] || ! iscsi_session_is_at "$session" "$2" || iscsi_session_found+=("${session##*/}")
	done
}

# iscsi_session_is_at <directory in sysfs> <portal>
iscsi_session_is_at() {
	local connection address port
	for connection in "$1"/device/connection*/iscsi_connection/connection*; do
		sysfs_read address "$connection/persistent_address" || continue
		sysfs_read port "$connection/persistent_port" || continue
		iscsi_portals_spell "$address" || continue
		[[ $iscsi_portals_address,$port != "$2" ]] || return 0
	done
	return 1
}

# iscsi_session_is_online <session>
# Sets iscsi_session_state.
iscsi_session_is_online() {
	sysfs_read iscsi_session_state "/sys/class/iscsi_session/$1/state" && [[ $iscsi_session_state == LOGGED_IN ]]
}

# iscsi_session_open <iqn> <portal> <user, or empty>
# Adds to iscsi_session_names. Fails with reason set.
iscsi_session_open() {
	local login
	iscsi_session_find "$1" "$2"
	if ((${#iscsi_session_found[@]})); then
		iscsi_session_join "$1" "$2" || return
	else
		iscsi_session_login "$@" || return
	fi
	journal_recall login "login $1 $2"
	[[ ! $login ]] || {
		journal_remember "sessions $1 $2" "${iscsi_session_found[*]}"
		journal_remember "trying $1 $2" ''
	}
	iscsi_session_names+=("${iscsi_session_found[@]}")
}

# iscsi_session_join <iqn> <portal>
# Uses the sessions in iscsi_session_found. If another guest has logged in, or was
# killed while it did, the last of us ends the session. Rescans, because the target
# may have new LUNs.
iscsi_session_join() {
	local session
	if journal_shared "sessions $1 $2" "${iscsi_session_found[*]}" || journal_shared "trying $1 $2" y; then
		journal_remember "login $1 $2" y
	fi
	for session in "${iscsi_session_found[@]}"; do
		sysfs_await 5 iscsi_session online "$session" || {
			reason="The session with $1 at $2 is not logged in (${iscsi_session_state:-gone}); see whether the server runs and can be reached."
			return 1
		}
		run iscsiadm --mode session --sid "${session#session}" --rescan || return
	done
}

# iscsi_session_login <iqn> <portal> <user, or empty>
# Sets iscsi_session_found. Fails with reason set.
iscsi_session_login() {
	local status=0
	((run_last - SECONDS >= iscsi_session_patience)) || {
		reason="Not enough time was left to log in to $1 at $2; see whether the portals before it answer."
		return 1
	}
	journal_remember "login $1 $2" y
	iscsi_record_make "$1" "$2" && iscsi_record_lend "${iscsi_session_auth[@]}" || return
	iscsi_portals_ask "$2"
	journal_remember "trying $1 $2" y
	run iscsiadm --mode node --targetname "$1" --portal "$iscsi_portals_option" --login || status=$?
	((status == 0 || status >= 124)) || journal_remember "trying $1 $2" ''
	iscsi_record_restore || return
	((status == 0)) || iscsi_session_refused "$1" "$iscsi_portals_option" "$status" "$3" || return
	iscsi_session_find "$1" "$2"
	((${#iscsi_session_found[@]})) || iscsi_session_lost "$1" "$iscsi_portals_option"
}

# iscsi_session_lost <iqn> <portal>
iscsi_session_lost() {
	reason="iscsiadm has logged in to $1 at $2, but the kernel shows no such session; see the log of iscsid."
	return 1
}

# iscsi_session_refused <iqn> <portal> <iscsiadm's status> <user, or empty>
# Sets reason, and fails. The status tells more than iscsiadm's first line, which
# only says that it failed; for the statuses and their texts see open-iscsi,
# usr/iscsi_err.c.
iscsi_session_refused() {
	local said remedy
	case $3 in
	8 | 11) said='connection timed out' remedy='see whether the server runs there and can be reached' ;;
	5 | 19) said='login failed' remedy='see whether the target exists there, and lets in the name in /etc/iscsi/initiatorname.iscsi' ;;
	24)
		said='authorization failure' remedy="correct user= in the guest's configuration, or the secret in $iscsi_secrets_file"
		[[ $4 ]] || remedy="let this host in at the target or, where that wants CHAP, add user= to the guest's configuration, and the secret to $iscsi_secrets_file"
		;;
	*)
		reason="Cannot log in to $1 at $2: $reason"
		return 1
		;;
	esac
	reason="Cannot log in to $1 at $2 (iscsiadm: $said); $remedy."
	return 1
}

# iscsi_session_close <iqn> <portal>
# Ends the sessions that are ours and no other guest's, and removes our record.
# Fails with reason set.
iscsi_session_close() {
	local login mine trying session status=0
	journal_recall login "login $1 $2"
	journal_recall mine "sessions $1 $2"
	journal_recall trying "trying $1 $2"
	[[ $login ]] && ! journal_shared "login $1 $2" y || return 0
	[[ ! $trying ]] || sysfs_await "$iscsi_session_patience" iscsi_session settled "$1" "$2" || :
	iscsi_session_find "$1" "$2"
	for session in "${iscsi_session_found[@]}"; do
		# If we were killed before noting the session's name, any session is ours, because none existed before.
		[[ $mine && " $mine " != *" $session "* ]] || iscsi_session_end "$session" || status=1
	done
	((status == 0)) || return 1
	# A session that is left is the administrator's, who may need the record.
	iscsi_session_find "$1" "$2"
	((${#iscsi_session_found[@]})) || iscsi_record_remove "$1" "$2"
}

# iscsi_session_end <session>
# Fails with reason set if it does not end. Shortens the wait for a server that is
# gone. iscsid may still end the session after iscsiadm gave up.
iscsi_session_end() {
	printf '1\n' 2>/dev/null >"/sys/class/iscsi_session/$1/recovery_tmo" || :
	iscsi_session_log_out "$1" && return 0
	[[ ! $iscsi_session_reopening ]] || return
	sysfs_await "$iscsi_session_leaving" iscsi_session gone "$1"
}

# iscsi_session_log_out <session>
# A restarted iscsid reconnects its sessions, and refuses to log out until it has
# (32, ISCSI_ERR_SESSION_NOT_CONNECTED). Sets iscsi_session_reopening if it refuses
# to the end.
iscsi_session_log_out() {
	local status until=$((SECONDS + iscsi_session_leaving))
	iscsi_session_reopening=''
	while
		status=0
		run iscsiadm --mode session --sid "${1#session}" --logout || status=$?
		((status == 32 && SECONDS < until))
	do
		run_pause 0.2 || break
	done
	((status != 32)) || {
		iscsi_session_reopening=y
		reason="iscsid is still reconnecting ${1/session/session } and refuses to log out; see whether its server answers, then detach the disk again."
	}
	return "$status"
}

# iscsi_session_is_settled <iqn> <portal>
# Has iscsid completed the login? Sets iscsi_session_found.
iscsi_session_is_settled() {
	iscsi_session_find "$@"
	((${#iscsi_session_found[@]})) && iscsi_session_is_online "${iscsi_session_found[0]}"
}

# iscsi_session_is_gone <session>
iscsi_session_is_gone() {
	[[ ! -e /sys/class/iscsi_session/$1 ]]
}
