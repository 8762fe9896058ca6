# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The iptables rules that accept a guest's packets, used by
# resources/forwarding.sh. They are in a file of their own, because most attaches
# do not need to parse it.

forwarding_rules_old=''  # set by forwarding_rules_find: lines for iptables-restore that delete rules
forwarding_rules_rule=() # set by forwarding_rules_words: a rule's words, without its command

# forwarding_rules_words in|out <interface> <how> <owner>
# Sets forwarding_rules_rule. <how> is as in forwarding_acquire. A translated guest only gets replies, because a host
# whose policy is to drop does not want it to be reached from outside.
forwarding_rules_words() {
	local words=(FORWARD "--$1-interface" "$2")
	case $1:$3 in
	*:bridged) words=(FORWARD -m physdev --physdev-is-bridged "--physdev-$1" "$2") ;;
	out:translated) words+=(-m conntrack --ctstate 'RELATED,ESTABLISHED') ;;
	esac
	forwarding_rules_rule=("${words[@]}" -m comment --comment "$4" -j ACCEPT)
}

# forwarding_rules_restore <command> -I|-D <interface> <how> <owner> [rules that FORWARD has]
# Adds or deletes both rules, or neither. Of the rules that there are, first deletes
# those of the owner and those of former interfaces of this name.
forwarding_rules_restore() {
	local status=0 direction lines='*filter'
	forwarding_rules_find "$5" "${6-}"
	lines+=$forwarding_rules_old
	for direction in in out; do
		forwarding_rules_words "$direction" "${@:3:3}"
		lines+=$'\n'"$2 ${forwarding_rules_rule[*]}"
	done
	run_with "$lines"$'\nCOMMIT\n' "$1-restore" --wait "$forwarding_lock_wait" --noflush || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_find <owner> <rules that FORWARD has>
# Sets forwarding_rules_old.
forwarding_rules_find() {
	local line lines former owners=" $1 "
	forwarding_rules_old=''
	for former in "${interface_former[@]}"; do
		former=${former/-//}
		owners+="xen-hotplug/${former/-//} "
	done
	mapfile -t lines <<<"$2"
	for line in "${lines[@]}"; do
		[[ $line =~ ^-A' '(FORWARD' '.*--comment' '\"?(xen-hotplug/[a-z0-9/-]+)\"?' '.*)$ ]] || continue
		[[ $owners != *" ${BASH_REMATCH[2]} "* ]] || forwarding_rules_old+=$'\n'"-D ${BASH_REMATCH[1]}"
	done
}

# forwarding_rules_one <command> -C|-D in|out <interface> <how> <owner>
forwarding_rules_one() {
	local status=0
	forwarding_rules_words "${@:3}"
	run "$1" --wait "$forwarding_lock_wait" "$2" "${forwarding_rules_rule[@]}" || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_remove <command> <interface> <how> <owner>
# If one of them is missing, deletes each alone; status 1 means that a rule does
# not exist.
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
