# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The rules of iptables that let a guest's packets pass, as
# resources/forwarding.sh has them set. A file of their own, which most
# attaches need not parse.

# forwarding_rules_words in|out <interface> <how> <owner>
# Sets the caller's words to the rule, but for its command. <how> is as
# forwarding_acquire takes it. What goes to a translated guest are answers: a
# host that drops lets nobody else reach it.
forwarding_rules_words() {
	words=(FORWARD "--$1-interface" "$2")
	case $1:$3 in
	*:bridged) words=(FORWARD -m physdev --physdev-is-bridged "--physdev-$1" "$2") ;;
	out:translated) words+=(-m conntrack --ctstate 'RELATED,ESTABLISHED') ;;
	esac
	words+=(-m comment --comment "$4" -j ACCEPT)
}

# forwarding_rules_restore <command> -I|-D <interface> <how> <owner>
# Both rules or none of them.
forwarding_rules_restore() {
	local status=0 direction words lines='*filter'
	for direction in in out; do
		forwarding_rules_words "$direction" "${@:3}"
		lines+=$'\n'"$2 ${words[*]}"
	done
	run_with "$lines"$'\nCOMMIT\n' "$1-restore" --wait "$forwarding_lock_wait" --noflush || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_one <command> -C|-D in|out <interface> <how> <owner>
forwarding_rules_one() {
	local status=0 words
	forwarding_rules_words "${@:3}"
	run "$1" --wait "$forwarding_lock_wait" "$2" "${words[@]}" || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_remove <command> <interface> <how> <owner>
# Where not both are there, each alone: one that is not there is gone (status 1).
forwarding_rules_remove() {
	local direction status=0
	forwarding_rules_restore "$1" -D "${@:2}" && return 0
	status=$?
	for direction in in out; do
		((status == 1)) || return "$status"
		forwarding_rules_one "$1" -D "$direction" "${@:2}" || status=$?
	done
	((status <= 1))
}
