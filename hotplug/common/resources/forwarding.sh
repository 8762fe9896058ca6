# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Packets of the guest pass the host's own iptables, whose policy may be to drop
# what it does not know (Docker's is): one rule a direction. Those that a bridge
# forwards meet it where br_netfilter shows them to it; those that this host
# routes do in any case.

# shellcheck source=interface.sh
resource_find interface

forwarding_lock_wait=3 # seconds, for iptables' lock; less than a command's deadline

# forwarding_acquire <interface> [bridged|routed|translated] [addresses]
# What is translated is routed, and masqueraded. A routed guest has packets of
# the families of its addresses; of both, where there are none.
# The rules' comment says whose they are: the name may be another guest's later.
forwarding_acquire() {
	local commands=() listed='' owner=xen-hotplug/$device_id how=${2:-bridged} command
	forwarding_commands "$1" "$how" "${3-}"
	((${#commands[@]})) || return 0
	library forwarding_rules
	[[ $type_if != tap ]] || owner+=-emu
	journal_remember commands "${commands[*]}" owner "$owner"
	for command in "${commands[@]}"; do
		[[ $listed != *"$owner"* ]] || forwarding_rules_remove "$command" "$1" "$how" "$owner" || fail "$reason"
		forwarding_rules_restore "$command" -I "$1" "$how" "$owner" ||
			fail "Cannot let the packets of $1 pass $command: $reason"
	done
}

# forwarding_plan <interface> [bridged|routed|translated] [addresses]
forwarding_plan() {
	local commands=() listed=''
	forwarding_commands "$1" "${2:-bridged}" "${3-}"
}

# forwarding_release <interface> [bridged|routed|translated] [addresses]
# The rules need neither the interface nor the bridge.
forwarding_release() {
	local commands owner command status=0
	journal_recall owner owner
	journal_recall commands commands
	[[ $commands ]] || return 0
	library forwarding_rules
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
	library forwarding_rules
	for command in iptables ip6tables; do
		[[ " $commands " == *" $command "* ]] || continue
		for direction in in out; do
			forwarding_rules_one "$command" -C "$direction" "$1" "${2:-bridged}" "$owner" || return
		done
	done
}

# forwarding_commands <interface> bridged|routed|translated <addresses>
# Sets the caller's commands to those that are to have rules, and listed to
# what they have.
forwarding_commands() {
	local command
	for command in iptables ip6tables; do
		if forwarding_meets "$command" "$2" "$3" && forwarding_called "$command" && forwarding_drops "$command" "$@"; then
			commands+=("$command")
		fi
	done
	((${#commands[@]} == 0)) || interface_is_plain "$1"
}

# forwarding_meets <command> bridged|routed|translated <addresses>
# Bridged packets do where they are shown to it, routed ones by their family.
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
# Where a host has no iptables, it has no rules of iptables.
forwarding_called() {
	local firewall
	library config
	config_get firewall firewall
	[[ $firewall == @(auto|iptables) ]] || return
	type -P "$1-restore" >/dev/null && return 0
	[[ $firewall != iptables ]] ||
		fail "$hotplug_config says firewall = iptables, but $1 is not installed; install the package iptables, or write firewall = auto there."
	return 1
}

# forwarding_drops <command> <interface> bridged|routed|translated
# Adds to the caller's listed. Bridged packets are shown to it to be dropped;
# routed ones pass where its chain is empty and accepts. Where it cannot read
# its chain, that is another firewall's.
forwarding_drops() {
	local status=0 firewall
	run_beside '' "$1" --wait "$forwarding_lock_wait" --list-rules FORWARD || status=$?
	forwarding_reason "$status" || :
	config_get firewall firewall
	((status == 0)) || [[ $firewall == auto && $status == [123] ]] ||
		fail "Cannot see whether the packets of $2 pass $1: $reason"
	listed+=$output
	((status == 0)) && [[ $3 == bridged || $output != $'-P FORWARD ACCEPT\n' ]]
}

# forwarding_reason <status>
# It is the result; for that of a lock that others hold, reason is set.
forwarding_reason() {
	(($1 != 4)) ||
		reason="Another program has held the lock of iptables (/run/xtables.lock) for $forwarding_lock_wait seconds; try again when it is done."
	return "$1"
}
