# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Accepts guests' packets in the host's iptables, whose FORWARD policy may be to drop
# (Docker sets that). Bridged packets traverse iptables only if br_netfilter is loaded;
# routed ones always do. All guests share the rules, in a chain of our own to which
# FORWARD jumps: one rule for a bridge, and two for all guests that are routed, whose
# interfaces are in a group of ours. The first guest that needs a rule adds it, and the
# last one removes it, so that a packet's way does not grow with the guests.

# shellcheck source=interface.sh
resource_find interface
library journal-read

# A rule that a guest needs is written COMMAND/bridged/BRIDGE, COMMAND/routed or
# COMMAND/translated. Devices note them under these keys of their journals:
forwarding_key='forwarding'         # before rules are changed
forwarding_key_set='forwarding set' # once they are there

# The groups of interfaces, "xen" and a number.
declare -gA forwarding_group=([routed]=$((0x78656e01)) [translated]=$((0x78656e02)))

# Set by forwarding_choose:
forwarding_needed=()  # the rules that the guest needs
forwarding_missing=() # those of them that no other device has
forwarding_bridge=''  # set by forwarding_choose_bridge

forwarding_lock_wait=3 # seconds to wait for iptables' lock; less than a command's deadline

forwarding_arguments='INTERFACE'

# forwarding_acquire <interface> [bridged|routed|translated] [bridge, or addresses]
# A bridged guest's bridge may be empty, for the only one. A translated guest is routed
# and masqueraded. A routed guest has packets of the address families in its ip=, or of
# both without ip=.
forwarding_acquire() {
	forwarding_may_need "${2:-bridged}" "${3-}" || return 0
	lock forwarding || fail "$reason"
	forwarding_choose "$1" "${2:-bridged}" "${3-}"
	if ((${#forwarding_needed[@]})); then
		interface_remember "$1"
		journal_remember "$forwarding_key" "${forwarding_needed[*]}" 'shared rules' "${forwarding_needed[*]}"
		forwarding_apply "${forwarding_missing[@]}" || fail "Cannot let the packets of $1 pass iptables: $reason"
		forwarding_set_group "$1" "${forwarding_group[${2:-bridged}]-}" || fail "$reason"
		journal_remember "$forwarding_key_set" "${forwarding_needed[*]}"
	fi
	unlock forwarding
}

# forwarding_plan <interface> [bridged|routed|translated] [bridge, or addresses]
forwarding_plan() {
	! forwarding_may_need "${2:-bridged}" "${3-}" || forwarding_choose "$1" "${2:-bridged}" "${3-}"
}

# forwarding_release <interface> [bridged|routed|translated] [bridge, or addresses]
# Works without the interface and without the bridge. Removes the rules that no other
# device needs. A device that a former version attached has rules of its own.
forwarding_release() {
	local needed commands owner
	journal_recall commands commands
	journal_recall owner owner
	journal_recall needed "$forwarding_key"
	[[ ! $commands ]] || forwarding_release_own "$commands" "$1" "${2:-bridged}" "$owner" || return
	[[ $needed ]] || return 0
	lock forwarding || return
	# From now on no attach relies on them.
	journal_drop "$forwarding_key_set"
	read -ra needed <<<"$needed"
	forwarding_leave "${needed[@]}" || return
	journal_drop "$forwarding_key"
	! interface_is_ours "$1" || forwarding_set_group "$1" "${forwarding_group[${2:-bridged}]+0}" || :
	unlock forwarding
}

# forwarding_release_own <commands> <interface> <how> <owner>
forwarding_release_own() {
	library lib/forwarding_rules
	forwarding_rules_remove_own "$@"
}

# forwarding_check <interface> [bridged|routed|translated] [bridge, or addresses]
forwarding_check() {
	local needed rule
	journal_recall needed "$forwarding_key"
	read -ra needed <<<"$needed"
	library lib/forwarding_rules
	for rule in "${needed[@]}"; do
		forwarding_rules_are_there "$rule" && continue
		reason="The rules of ${rule%%/*} that let guests' packets pass are gone; run 'xen-hotplug repair'."
		return 1
	done
	[[ ! ${needed-} ]] || forwarding_check_group "$1" "${forwarding_group[${2:-bridged}]-}"
}

# forwarding_repair <interface> [bridged|routed|translated] [bridge, or addresses]
# The others', too.
forwarding_repair() {
	local needed
	journal_recall needed "$forwarding_key"
	read -ra needed <<<"$needed"
	lock forwarding || return
	forwarding_needed=("${needed[@]}")
	forwarding_apply "${needed[@]}" || return
	[[ ! ${needed-} ]] || forwarding_set_group "$1" "${forwarding_group[${2:-bridged}]-}" || return
	unlock forwarding
}

# forwarding_apply [rule]...
# Makes the chains of the rules' commands have forwarding_needed and what others need.
forwarding_apply() {
	(($#)) || return 0
	library lib/forwarding_rules
	journal_others "$forwarding_key"
	forwarding_rules_set "${journal_theirs[*]} ${forwarding_needed[*]}" "$@"
}

# forwarding_leave <rule>...
# Takes them out of the chains, but for those that others need.
forwarding_leave() {
	local rule left=()
	journal_others "$forwarding_key"
	for rule; do
		[[ " ${journal_theirs[*]} " == *" $rule "* ]] || left+=("$rule")
	done
	((${#left[@]})) || return 0
	library lib/forwarding_rules
	forwarding_rules_set "${journal_theirs[*]}" "${left[@]}"
}

# forwarding_set_group <interface> <group, or empty for none>
forwarding_set_group() {
	[[ $2 ]] || return 0
	reason="Cannot put $1 into the group of guests' interfaces; see whether /sys is writable."
	printf '%s\n' "$2" 2>/dev/null >"/sys/class/net/$1/netdev_group"
}

# forwarding_check_group <interface> <group, or empty for none>
# Is the interface in it, if it is there? Fails with reason set.
forwarding_check_group() {
	local now=$2
	[[ ! $2 ]] || read -r now 2>/dev/null <"/sys/class/net/$1/netdev_group" || return 0
	[[ $now == "$2" ]] && return 0
	reason="$1 is in the group $now and not in $2, whose packets iptables lets pass; run 'xen-hotplug repair'."
	return 1
}

# forwarding_may_need bridged|routed|translated <bridge, or addresses>
# Could the guest's packets traverse iptables?
forwarding_may_need() {
	local command
	for command in iptables ip6tables; do
		if forwarding_meets "$command" "$@" && forwarding_called "$command"; then return; fi
	done
	return 1
}

# forwarding_choose <interface> bridged|routed|translated <bridge, or addresses>
# Sets forwarding_needed and forwarding_missing. No program is started for a rule that
# another device has.
forwarding_choose() {
	local command rule where=$2
	forwarding_needed=() forwarding_missing=()
	[[ $2 != bridged ]] || forwarding_choose_bridge "$3"
	[[ $2 != bridged ]] || where+=/$forwarding_bridge
	journal_others "$forwarding_key_set"
	for command in iptables ip6tables; do
		rule=$command/$where
		if ! forwarding_meets "$command" "$2" "$3" || ! forwarding_called "$command"; then continue; fi
		if [[ " ${journal_theirs[*]} " == *" $rule "* ]]; then
			forwarding_needed+=("$rule")
		elif forwarding_drops "$command" "$1" "$2"; then
			forwarding_needed+=("$rule") forwarding_missing+=("$rule")
		fi
	done
}

# forwarding_choose_bridge <bridge, or empty for the only one>
# Sets forwarding_bridge; fails if iptables would take its name for something else.
forwarding_choose_bridge() {
	resource_find bridge_port
	bridge_port_find "$1"
	forwarding_bridge=$bridge_port_bridge
	[[ $forwarding_bridge =~ ^[A-Za-z0-9][A-Za-z0-9_.@-]*$ ]] ||
		fail "The bridge name '$forwarding_bridge' cannot be used in rules of iptables; rename the bridge, or set firewall = nftables in $hotplug_config."
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
# Could it drop the guest's packets? Assumed for bridged ones; not for routed ones if the
# chain is empty and its policy is to accept. Nor if the command cannot read the chain,
# which is then another firewall's.
forwarding_drops() {
	local status=0 firewall
	run "$1" --wait "$forwarding_lock_wait" --list-rules FORWARD || status=$?
	forwarding_reason "$status" || :
	config_get firewall firewall
	((status == 0)) || [[ $firewall == auto && $status == [123] ]] ||
		fail "Cannot see whether the packets of $2 pass $1: $reason"
	((status == 0)) && [[ $3 == bridged || $run_output != $'-P FORWARD ACCEPT\n' ]]
}

# forwarding_reason <status>
# Returns the status, and sets reason if others hold the lock: then it is 4, but iptables of
# nftables, which has no lock, ends with that for other errors.
forwarding_reason() {
	[[ $1 != 4 || $reason != *xtables?lock* ]] ||
		reason="Another program has held the lock of iptables (/run/xtables.lock) for $forwarding_lock_wait seconds; try again when it is done."
	return "$1"
}
