# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The rules of iptables that let a guest's bridged packets pass, as
# resources/forwarding.sh has them set. A file of their own, which most
# attaches need not parse.

forwarding_rules_lock_wait=3 # seconds; less than a command's deadline

# forwarding_rules_restore <command> -I|-D <interface> <owner>
# Both rules or none of them.
forwarding_rules_restore() {
	local status=0
	run_with "*filter
$2 FORWARD -m physdev --physdev-is-bridged --physdev-in $3 -m comment --comment $4 -j ACCEPT
$2 FORWARD -m physdev --physdev-is-bridged --physdev-out $3 -m comment --comment $4 -j ACCEPT
COMMIT
" "$1-restore" --wait "$forwarding_rules_lock_wait" --noflush || status=$?
	forwarding_rules_reason "$status"
}

# forwarding_rules_one <command> -C|-D in|out <interface> <owner>
forwarding_rules_one() {
	local status=0
	run "$1" --wait "$forwarding_rules_lock_wait" "$2" FORWARD -m physdev --physdev-is-bridged "--physdev-$3" "$4" \
		-m comment --comment "$5" -j ACCEPT || status=$?
	forwarding_rules_reason "$status"
}

# forwarding_rules_reason <status>
# It is the result; for that of a lock that others hold, reason is set.
forwarding_rules_reason() {
	(($1 != 4)) ||
		reason="Another program has held the lock of iptables (/run/xtables.lock) for $forwarding_rules_lock_wait seconds; try again when it is done."
	return "$1"
}

# forwarding_rules_remove <command> <interface> <owner>
# Where not both are there, each alone: one that is not there is gone (status 1).
forwarding_rules_remove() {
	local direction status=0
	forwarding_rules_restore "$1" -D "${@:2}" && return
	status=$?
	for direction in in out; do
		((status == 1)) || return "$status"
		forwarding_rules_one "$1" -D "$direction" "${@:2}" || status=$?
	done
	((status <= 1))
}
