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

iscsi_sessions=()        # those of this disk, by their names in sysfs: session3
iscsi_session_patience=9 # seconds that a login may take, including iscsid's part after iscsiadm was killed
iscsi_session_leaving=8  # seconds that a session may take to end after iscsiadm gave up

# iscsi_session_acquire <iqn> <portals> <multipath: y|n> <discovery: y|n> <auth_method> <user>
# Sets iscsi_sessions: one, or for multipath one for each portal that accepts the login.
iscsi_session_acquire() {
	local portal portals=() auth=() excuse=''
	iscsi_session_auth "$1" "$5" "$6"
	lock "iscsi/$1" || fail "$reason"
	iscsi_session_portals "$1" "$2" "$4"
	iscsi_sessions=()
	for portal in "${portals[@]}"; do
		[[ $3 == y ]] || ((${#iscsi_sessions[@]} == 0)) || break
		iscsi_session_open "$1" "$portal" "${auth[@]}" || iscsi_session_excuse "$portal"
	done
	((${#iscsi_sessions[@]})) || fail "$excuse"
}

# iscsi_session_plan <iqn> <portals> <multipath> <discovery> <auth_method> <user>
iscsi_session_plan() {
	local auth
	iscsi_session_auth "$1" "$5" "$6"
}

# iscsi_session_release <iqn> <portals>...
# Fails if a session of ours does not end.
iscsi_session_release() {
	local portal portals status=0
	journal_recall portals portals
	read -ra portals <<<"$portals"
	((${#portals[@]})) || iscsi_session_adopt "$1" "$2"
	((${#portals[@]})) || return 0
	lock "iscsi/$1" || return
	for portal in "${portals[@]}"; do
		iscsi_session_close "$1" "$portal" || status=1
	done
	return "$status"
}

# iscsi_session_adopt <iqn> <portals>
# Takes over the session of a disk that Xen's script attached, which is recognized
# by the missing node `node`. The session is the script's, as it refuses a target
# that has one. Sets portals (declared by the caller).
iscsi_session_adopt() {
	local expected portal
	[[ ! -f $journal_file && ${store_value["physical-device"]-} && ! ${store_value[node]-} ]] &&
		iscsi_portals_parse "$2" || return 0
	portals=("${iscsi_portals[@]}")
	for portal in "${portals[@]}"; do
		journal_note "login $1 $portal" y
	done
}

# iscsi_session_check <iqn> <portals>...
# One session that is logged in is enough.
iscsi_session_check() {
	local portal portals found session state
	journal_recall portals portals
	read -ra portals <<<"$portals"
	for portal in "${portals[@]}"; do
		iscsi_session_find "$1" "$portal"
		for session in "${found[@]}"; do
			! iscsi_session_is_online "$session" || return 0
		done
	done
	reason="No session with $1 is logged in."
	return 1
}

# iscsi_session_auth <iqn> <auth_method> <user>
# Sets auth (declared by the caller) to lines for the record. If it is empty, the
# record's own settings apply.
iscsi_session_auth() {
	local secret
	[[ $2 != CHAP || $3 ]] ||
		fail "auth_method=CHAP needs a user name; add user= to the guest's configuration."
	[[ $2 != None || ! $3 ]] ||
		fail "auth_method=None and user= contradict each other; remove one of them from the guest's configuration."
	auth=()
	[[ ! $2 ]] || auth=("node.session.auth.authmethod = $2")
	[[ $3 ]] || return 0
	iscsi_secrets_get secret "$1" "$3"
	auth=('node.session.auth.authmethod = CHAP' "node.session.auth.username = $3" "node.session.auth.password = $secret")
}

# iscsi_session_portals <iqn> <portals> <discovery>
# Sets portals (declared by the caller): those given, or those discovered.
iscsi_session_portals() {
	local expected
	iscsi_portals_parse "$2" || fail "Parameter portal is not $expected; correct the guest's configuration."
	portals=("${iscsi_portals[@]}")
	[[ $3 == n ]] || iscsi_session_discover "$1"
	journal_remember portals "${portals[*]}"
}

# iscsi_session_discover <iqn>
# Sets portals (declared by the caller) to those that the first of them that answers
# reports. iscsiadm keeps no record of the discovery.
iscsi_session_discover() {
	local portal at name answered=''
	for portal in "${portals[@]}"; do
		iscsi_portals_option at "$portal"
		! run iscsiadm --mode discovery --type sendtargets --portal "$at" --op nonpersistent || answered=y
		[[ ! $answered ]] || break
	done
	[[ $answered ]] || fail "Cannot ask $at for the portals of $1: $reason"
	iscsi_portals=()
	while read -r portal name && ((${#iscsi_portals[@]} < iscsi_portals_most)); do
		[[ $name != "$1" ]] || iscsi_portals_take "${portal%,*}" || :
	done <<<"$run_output"
	((${#iscsi_portals[@]})) || fail "The server at $at has no target $1, or does not show it to this host; correct iqn= in the guest's configuration, or allow this host there."
	portals=("${iscsi_portals[@]}")
}

# iscsi_session_excuse <portal>
# Notes a failed login; it is no failure if another portal accepts one.
iscsi_session_excuse() {
	excuse=${excuse:-$reason}
}

# iscsi_session_find <iqn> <portal>
# Sets found (declared by the caller) to the sessions that exist.
iscsi_session_find() {
	local session name
	found=()
	for session in /sys/class/iscsi_session/session*; do
		sysfs_read name "$session/targetname" || continue
		[[ $name != "$1" ]] || ! iscsi_session_is_at "$session" "$2" || found+=("${session##*/}")
	done
}

# iscsi_session_is_at <directory in sysfs> <portal>
iscsi_session_is_at() {
	local connection address port
	for connection in "$1"/device/connection*/iscsi_connection/connection*; do
		sysfs_read address "$connection/persistent_address" || continue
		sysfs_read port "$connection/persistent_port" || continue
		iscsi_portals_spell address || continue
		[[ $address,$port != "$2" ]] || return 0
	done
	return 1
}

# iscsi_session_is_online <session>
# Sets state (declared by the caller).
iscsi_session_is_online() {
	sysfs_read state "/sys/class/iscsi_session/$1/state" && [[ $state == LOGGED_IN ]]
}

# iscsi_session_open <iqn> <portal> [line for the record]...
# Adds to iscsi_sessions. Fails with reason set.
iscsi_session_open() {
	local found login
	iscsi_session_find "$1" "$2"
	if ((${#found[@]})); then
		iscsi_session_join "$1" "$2" || return
	else
		iscsi_session_login "$@" || return
	fi
	journal_recall login "login $1 $2"
	[[ ! $login ]] || {
		journal_remember "sessions $1 $2" "${found[*]}"
		journal_remember "trying $1 $2" ''
	}
	iscsi_sessions+=("${found[@]}")
}

# iscsi_session_join <iqn> <portal>
# Uses found (declared by the caller). If another guest has logged in, or was killed
# while it did, the last of us ends the session. Rescans, because the target may have
# new LUNs.
iscsi_session_join() {
	local session state
	if journal_shared "sessions $1 $2" "${found[*]}" || journal_shared "trying $1 $2" y; then
		journal_remember "login $1 $2" y
	fi
	for session in "${found[@]}"; do
		sysfs_await 5 iscsi_session online "$session" || {
			reason="The session with $1 at $2 is not logged in (${state:-gone}); see whether the server runs and can be reached."
			return 1
		}
		run iscsiadm --mode session --sid "${session#session}" --rescan || return
	done
}

# iscsi_session_login <iqn> <portal> [line for the record]...
# Sets found (declared by the caller). Fails with reason set.
iscsi_session_login() {
	local records=() at status=0
	((run_last - SECONDS >= iscsi_session_patience)) || {
		reason="Not enough time was left to log in to $1 at $2; see whether the portals before it answer."
		return 1
	}
	journal_remember "login $1 $2" y
	iscsi_record_make "$1" "$2" && iscsi_record_lend "${@:3}" || return
	iscsi_portals_option at "$2"
	journal_remember "trying $1 $2" y
	run iscsiadm --mode node --targetname "$1" --portal "$at" --login || status=$?
	((status == 0 || status >= 124)) || journal_remember "trying $1 $2" ''
	iscsi_record_restore || return
	((status == 0)) || iscsi_session_refused "$1" "$at" "$status" "${4-}" || return
	iscsi_session_find "$1" "$2"
	((${#found[@]})) || iscsi_session_lost "$1" "$at"
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
	local login mine trying found session state status=0
	journal_recall login "login $1 $2"
	journal_recall mine "sessions $1 $2"
	journal_recall trying "trying $1 $2"
	[[ $login ]] && ! journal_shared "login $1 $2" y || return 0
	[[ ! $trying ]] || sysfs_await "$iscsi_session_patience" iscsi_session settled "$1" "$2" || :
	iscsi_session_find "$1" "$2"
	for session in "${found[@]}"; do
		# If we were killed before noting the session's name, any session is ours, because none existed before.
		[[ $mine && " $mine " != *" $session "* ]] || iscsi_session_end "$session" || status=1
	done
	((status == 0)) || return 1
	# A session that is left is the administrator's, who may need the record.
	iscsi_session_find "$1" "$2"
	((${#found[@]})) || iscsi_record_remove "$1" "$2"
}

# iscsi_session_end <session>
# Fails with reason set if it does not end. Shortens the wait for a server that is
# gone. iscsid may still end the session after iscsiadm gave up.
iscsi_session_end() {
	local reopening=''
	printf '1\n' 2>/dev/null >"/sys/class/iscsi_session/$1/recovery_tmo" || :
	iscsi_session_log_out "$1" && return 0
	[[ ! $reopening ]] || return
	sysfs_await "$iscsi_session_leaving" iscsi_session gone "$1"
}

# iscsi_session_log_out <session>
# A restarted iscsid reconnects its sessions, and refuses to log out until it has
# (32, ISCSI_ERR_SESSION_NOT_CONNECTED). Sets reopening (declared by the caller) if
# it refuses to the end.
iscsi_session_log_out() {
	local status until=$((SECONDS + iscsi_session_leaving))
	while
		status=0
		run iscsiadm --mode session --sid "${1#session}" --logout || status=$?
		((status == 32 && SECONDS < until))
	do
		run sleep 0.2 || return
	done
	((status != 32)) || {
		reopening=yes
		reason="iscsid is still reconnecting ${1/session/session } and refuses to log out; see whether its server answers, then detach the disk again."
	}
	return "$status"
}

# iscsi_session_is_settled <iqn> <portal>
# Has iscsid completed the login? Sets found and state (declared by the caller).
iscsi_session_is_settled() {
	iscsi_session_find "$@"
	((${#found[@]})) && iscsi_session_is_online "${found[0]}"
}

# iscsi_session_is_gone <session>
iscsi_session_is_gone() {
	[[ ! -e /sys/class/iscsi_session/$1 ]]
}
