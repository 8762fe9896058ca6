# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Accepts the guest's packets in the host's iptables, whose FORWARD policy may be
# to drop (Docker sets that), with one rule for each direction. Bridged packets
# traverse iptables only if br_netfilter is loaded; routed ones always do.

# shellcheck source=interface.sh
resource_find interface

# Set by forwarding_choose:
forwarding_commands=()        # those of iptables and ip6tables that need rules for the guest
declare -gA forwarding_listed # command -> the rules that FORWARD has

forwarding_lock_wait=3 # seconds to wait for iptables' lock; less than a command's deadline

forwarding_arguments='INTERFACE'

# forwarding_acquire <interface> [bridged|routed|translated] [addresses]
# A translated guest is routed and masqueraded. A routed guest has packets of the
# address families in its ip=, or of both without ip=. The rules have the owner in a
# comment, because another guest may use the interface's name later.
forwarding_acquire() {
	local owner=xen-hotplug/$device_id how=${2:-bridged} command
	forwarding_choose "$1" "$how" "${3-}"
	((${#forwarding_commands[@]})) || return 0
	library lib/forwarding_rules
	[[ $type_if != tap ]] || owner+=-emu
	journal_remember commands "${forwarding_commands[*]}" owner "$owner"
	for command in "${forwarding_commands[@]}"; do
		forwarding_rules_restore "$command" -I "$1" "$how" "$owner" "${forwarding_listed[$command]}" ||
			fail "Cannot let the packets of $1 pass $command: $reason"
	done
}

# forwarding_plan <interface> [bridged|routed|translated] [addresses]
forwarding_plan() {
	forwarding_choose "$1" "${2:-bridged}" "${3-}"
}

# forwarding_release <interface> [bridged|routed|translated] [addresses]
# Works without the interface and without the bridge.
forwarding_release() {
	local commands owner command status=0
	journal_recall owner owner
	journal_recall commands commands
	[[ $commands ]] || return 0
	library lib/forwarding_rules
	for command in iptables ip6tables; do
		[[ " $commands " != *" $command "* ]] ||
			forwarding_rules_remove "$command" "$1" "${2:-bridged}" "$owner" || status=1
	done
	return "$status"
}

# forwarding_check <interface> [bridged|routed|translated] [addresses]
forwarding_check() {
	local commands owner command direction
	journal_recall owner owner
	journal_recall commands commands
	[[ $commands ]] || return 0
	library lib/forwarding_rules
	for command in iptables ip6tables; do
		[[ " $commands " == *" $command "* ]] || continue
		for direction in in out; do
			forwarding_rules_one "$command" -C "$direction" "$1" "${2:-bridged}" "$owner" || return
		done
	done
}

# forwarding_choose <interface> bridged|routed|translated <addresses>
# Sets forwarding_commands and forwarding_listed.
forwarding_choose() {
	local command
	forwarding_commands=() forwarding_listed=()
	for command in iptables ip6tables; do
		if forwarding_meets "$command" "$2" "$3" && forwarding_called "$command" && forwarding_drops "$command" "$@"; then
			forwarding_commands+=("$command")
		fi
	done
	((${#forwarding_commands[@]} == 0)) || interface_is_plain "$1"
}

# forwarding_meets <command> bridged|routed|translated <addresses>
# Do the guest's packets traverse this command's rules? Bridged ones do if
# br_netfilter passes them on, routed ones if they are of its address family.
forwarding_meets() {
	local sees=0
	if [[ $2 == bridged ]]; then
		read -r sees 2>/dev/null <"/proc/sys/net/bridge/bridge-nf-call-$1" || :
		((sees))
	else
		[[ ! $3 || $1:$3 == iptables:*.* || $1:$3 == ip6tables:*:* ]]
	fi
}

# forwarding_called <command>
# Does the host use this command? Without the program, it has no such rules.
forwarding_called() {
	local firewall
	library lib/config
	config_get firewall firewall
	[[ $firewall == @(auto|iptables) ]] || return
	type -P "$1-restore" >/dev/null && return 0
	[[ $firewall != iptables ]] ||
		fail "$hotplug_config says firewall = iptables, but $1 is not installed; install the package iptables, or set firewall = auto there."
	return 1
}

# forwarding_drops <command> <interface> bridged|routed|translated
# Could it drop the guest's packets? Assumed for bridged ones; not for routed ones
# if the chain is empty and its policy is to accept, nor if the command cannot read
# the chain, which is then another firewall's. Sets forwarding_listed.
forwarding_drops() {
	local status=0 firewall
	run "$1" --wait "$forwarding_lock_wait" --list-rules FORWARD || status=$?
	forwarding_reason "$status" || :
	config_get firewall firewall
	((status == 0)) || [[ $firewall == auto && $status == [123] ]] ||
		fail "Cannot see whether the packets of $2 pass $1: $reason"
	forwarding_listed[$1]=$run_output
	((status == 0)) && [[ $3 == bridged || $run_output != $'-P FORWARD ACCEPT\n' ]]
}

# forwarding_reason <status>
# Returns the status; sets reason if it is the one for a lock held by others.
forwarding_reason() {
	(($1 != 4)) ||
		reason="Another program has held the lock of iptables (/run/xtables.lock) for $forwarding_lock_wait seconds; try again when it is done."
	return "$1"
}
