# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Bridged packets of the guest pass the host's own firewall: where br_netfilter
# shows them to iptables, whose policy may be to drop what it does not know
# (Docker's is). One rule a direction, as Xen's own scripts set it.

# shellcheck source=interface.sh
resource_find interface

# forwarding_acquire <interface>
# The rules' comment says whose they are: the name may be another guest's later.
forwarding_acquire() {
	local commands=() owner=xen-hotplug/$device_id command
	forwarding_commands
	((${#commands[@]})) || return 0
	interface_is_plain "$1"
	[[ $type_if != tap ]] || owner+=-emu
	journal_remember commands "${commands[*]}" owner "$owner"
	# shellcheck source=../forwarding_rules.sh
	. "$hotplug_common/forwarding_rules.sh"
	for command in "${commands[@]}"; do
		forwarding_rules_remove "$command" "$1" "$owner" || fail "$reason"
		forwarding_rules_restore "$command" -I "$1" "$owner" ||
			fail "Cannot let the bridged packets of $1 pass $command: $reason"
	done
}

# forwarding_plan <interface>
forwarding_plan() {
	local commands=()
	forwarding_commands
	((${#commands[@]} == 0)) || interface_is_plain "$1"
}

# forwarding_release <interface>
# The rules need neither the interface nor the bridge.
forwarding_release() {
	local commands owner command status=0
	journal_recall owner owner
	journal_recall commands commands
	[[ $commands ]] || return 0
	# shellcheck source=../forwarding_rules.sh
	. "$hotplug_common/forwarding_rules.sh"
	for command in iptables ip6tables; do
		[[ " $commands " != *" $command "* ]] || forwarding_rules_remove "$command" "$1" "$owner" || status=1
	done
	return "$status"
}

# forwarding_check <interface>
forwarding_check() {
	local commands owner command
	journal_recall owner owner
	journal_recall commands commands
	[[ $commands ]] || return 0
	# shellcheck source=../forwarding_rules.sh
	. "$hotplug_common/forwarding_rules.sh"
	for command in iptables ip6tables; do
		[[ " $commands " != *" $command "* ]] ||
			{ forwarding_rules_one "$command" -C in "$1" "$owner" && forwarding_rules_one "$command" -C out "$1" "$owner"; } ||
			return
	done
}

# forwarding_commands
# Sets the caller's commands to those whose rules bridged packets meet.
forwarding_commands() {
	local firewall command sees
	for command in iptables ip6tables; do
		read -r sees 2>/dev/null <"/proc/sys/net/bridge/bridge-nf-call-$command" || continue
		((sees)) || continue
		# shellcheck source=../config.sh
		. "$hotplug_common/config.sh"
		config_get firewall firewall
		[[ $firewall == @(auto|iptables) ]] || return 0
		! forwarding_installed "$command" "$firewall" || commands+=("$command")
	done
}

# forwarding_installed <command> <firewall=>
# Where a host has no iptables, it has no rules of iptables.
forwarding_installed() {
	type -P "$1-restore" >/dev/null && return
	[[ $2 != iptables ]] ||
		fail "This host shows bridged packets to $1, which is not installed; install the package iptables, or write firewall = auto into $hotplug_config."
	return 1
}
