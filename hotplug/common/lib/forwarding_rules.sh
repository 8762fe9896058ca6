# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The iptables rules that accept guests' packets, used by resources/forwarding.sh. They
# are in a file of their own, because most attaches do not need to parse it.

forwarding_rules_chain=XEN_HOTPLUG # to which FORWARD jumps

forwarding_rules_lines=() # set by forwarding_rules_of: the rules in the chain, without a command
forwarding_rules_batch='' # set by forwarding_rules_compose: lines that fill the chain

# forwarding_rules_of bridged/BRIDGE|routed|translated
# Sets forwarding_rules_lines. With br_netfilter, a bridged packet leaves by the bridge,
# and iptables knows its ports by name only. A translated guest only gets replies,
# because a host whose policy is to drop does not want it to be reached from outside.
forwarding_rules_of() {
	local group=${forwarding_group[$1]-}
	local from="-m devgroup --src-group $group -j ACCEPT" to="-m devgroup --dst-group $group -j ACCEPT"
	case $1 in
	bridged/*) forwarding_rules_lines=("-o ${1#*/} -m physdev --physdev-is-bridged -j ACCEPT") ;;
	routed) forwarding_rules_lines=("$from" "$to") ;;
	translated) forwarding_rules_lines=("$from" "-m conntrack --ctstate RELATED,ESTABLISHED $to") ;;
	esac
}

# forwarding_rules_set <all rules that devices need> <rule>...
# Makes the chains of the commands of these rules have all that is needed.
forwarding_rules_set() {
	local command
	for command in iptables ip6tables; do
		[[ " ${*:2}" == *" $command/"* ]] || continue
		forwarding_rules_compose "$command" "$1"
		if [[ $forwarding_rules_batch ]]; then
			forwarding_rules_fill "$command" || return
		else
			forwarding_rules_delete "$command" || return
		fi
	done
}

# forwarding_rules_compose <command> <all rules that devices need>
# Sets forwarding_rules_batch, empty if no device needs this command's.
forwarding_rules_compose() {
	local rules rule line done=' '
	forwarding_rules_batch=''
	read -ra rules <<<"$2"
	for rule in "${rules[@]}"; do
		[[ $rule == "$1"/* && $done != *" $rule "* ]] || continue
		done+="$rule "
		forwarding_rules_of "${rule#*/}"
		for line in "${forwarding_rules_lines[@]}"; do
			forwarding_rules_batch+="-A $forwarding_rules_chain $line"$'\n'
		done
	done
}

# forwarding_rules_fill <command>
# For the first device, the chain does not exist. After that the jump does, unless
# another program has removed it.
forwarding_rules_fill() {
	local chain=$forwarding_rules_chain jump="FORWARD -j $forwarding_rules_chain"
	forwarding_rules_restore "$1" "-N $chain"$'\n'"$forwarding_rules_batch-I $jump" ||
		forwarding_rules_restore "$1" ":$chain - [0:0]"$'\n'"$forwarding_rules_batch-D $jump"$'\n'"-I $jump" ||
		forwarding_rules_restore "$1" ":$chain - [0:0]"$'\n'"$forwarding_rules_batch-I $jump"
}

# forwarding_rules_delete <command>
# If the chain or the jump is missing, or somebody has added a second jump, deletes each
# alone.
forwarding_rules_delete() {
	local i chain=$forwarding_rules_chain jump=(FORWARD -j "$forwarding_rules_chain")
	forwarding_rules_restore "$1" "-D ${jump[*]}"$'\n'"-F $chain"$'\n'"-X $chain" && return 0
	for ((i = 0; i < 8; i++)); do
		forwarding_rules_run "$1" --delete "${jump[@]}" || break
	done
	# Another chain of the administrator's may jump to it; then it stays, and is empty.
	forwarding_rules_restore "$1" ":$chain - [0:0]"$'\n'"-X $chain" || forwarding_rules_restore "$1" ":$chain - [0:0]"
}

# forwarding_rules_restore <command> <lines>
# Executes all of the lines, or none.
forwarding_rules_restore() {
	local status=0
	run_with $'*filter\n'"$2"$'\nCOMMIT\n' "$1-restore" --wait "$forwarding_lock_wait" --noflush || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_run <command> <argument>...
forwarding_rules_run() {
	local status=0
	run "$1" --wait "$forwarding_lock_wait" "${@:2}" || status=$?
	forwarding_reason "$status"
}

# forwarding_rules_are_there <rule>
# Does FORWARD jump to the chain, and does that have the rule?
forwarding_rules_are_there() {
	local command=${1%%/*} line words
	forwarding_rules_run "$command" --check FORWARD -j "$forwarding_rules_chain" || return
	forwarding_rules_of "${1#*/}"
	for line in "${forwarding_rules_lines[@]}"; do
		read -ra words <<<"$line"
		forwarding_rules_run "$command" --check "$forwarding_rules_chain" "${words[@]}" || return
	done
}

# forwarding_rules_remove_own <commands> <interface> <how> <owner>
# Removes a rule for each direction, which up to journals of format 2 without
# "forwarding" each device had. Status 1 means that a rule does not exist.
forwarding_rules_remove_own() {
	local command direction match status commands
	read -ra commands <<<"$1"
	for command in "${commands[@]}"; do
		for direction in in out; do
			match=("--$direction-interface" "$2")
			[[ $3 != bridged ]] || match=(-m physdev --physdev-is-bridged "--physdev-$direction" "$2")
			[[ $direction:$3 != out:translated ]] || match+=(-m conntrack --ctstate 'RELATED,ESTABLISHED')
			status=0
			forwarding_rules_run "$command" --delete FORWARD "${match[@]}" -m comment --comment "$4" -j ACCEPT || status=$?
			((status <= 1)) || return
		done
	done
}
