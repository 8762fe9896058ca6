# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Bridged packets of the guest pass the host's own firewall: where br_netfilter
# shows them to iptables, whose policy may be to drop what it does not know
# (Docker's is). One rule a direction, as Xen's own scripts set it.

# shellcheck source=interface.sh
resource_find interface
# shellcheck source=../config.sh
. "$hotplug_common/config.sh"

forwarding_lock_wait=3 # seconds; less than a command's deadline

# forwarding_acquire <interface>
# The rules' comment says whose they are: the name may be another guest's later.
forwarding_acquire() {
	local commands=() owner=xen-hotplug/$device_id command
	forwarding_commands
	((${#commands[@]})) || return 0
	interface_is_plain "$1"
	[[ $type_if != tap ]] || owner+=-emu
	journal_remember commands "${commands[*]}" owner "$owner"
	for command in "${commands[@]}"; do
		forwarding_remove "$command" "$1" "$owner" || fail "$reason"
		forwarding_restore "$command" -I "$1" "$owner" ||
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
	for command in iptables ip6tables; do
		[[ " $commands " != *" $command "* ]] || forwarding_remove "$command" "$1" "$owner" || status=1
	done
	return "$status"
}

# forwarding_check <interface>
forwarding_check() {
	local commands owner command
	journal_recall owner owner
	journal_recall commands commands
	for command in iptables ip6tables; do
		[[ " $commands " != *" $command "* ]] ||
			{ forwarding_rule "$command" -C in "$1" "$owner" && forwarding_rule "$command" -C out "$1" "$owner"; } ||
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

# forwarding_restore <command> -I|-D <interface> <owner>
# Both rules or none of them.
forwarding_restore() {
	local status=0
	run_with "*filter
$2 FORWARD -m physdev --physdev-is-bridged --physdev-in $3 -m comment --comment $4 -j ACCEPT
$2 FORWARD -m physdev --physdev-is-bridged --physdev-out $3 -m comment --comment $4 -j ACCEPT
COMMIT
" "$1-restore" --wait "$forwarding_lock_wait" --noflush || status=$?
	forwarding_reason "$status"
}

# forwarding_rule <command> -C|-D in|out <interface> <owner>
forwarding_rule() {
	local status=0
	run "$1" --wait "$forwarding_lock_wait" "$2" FORWARD -m physdev --physdev-is-bridged "--physdev-$3" "$4" \
		-m comment --comment "$5" -j ACCEPT || status=$?
	forwarding_reason "$status"
}

# forwarding_reason <status>
# It is the result; for that of a lock that others hold, reason is set.
forwarding_reason() {
	(($1 != 4)) ||
		reason="Another program has held the lock of iptables (/run/xtables.lock) for $forwarding_lock_wait seconds; try again when it is done."
	return "$1"
}

# forwarding_remove <command> <interface> <owner>
# Where not both are there, each alone: one that is not there is gone (status 1).
forwarding_remove() {
	local direction status=0
	forwarding_restore "$1" -D "${@:2}" && return
	status=$?
	for direction in in out; do
		((status == 1)) || return "$status"
		forwarding_rule "$1" -D "$direction" "${@:2}" || status=$?
	done
	((status <= 1))
}
