# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# Restricts what a guest may send to its own MAC address and to the addresses in
# its ip=. The rules are in nftables' ingress hook, which comes before bridges,
# Open vSwitch and routes. Each interface has a chain of its own, so that a packet
# never traverses another guest's rules. docs/network.md lists what passes.

# shellcheck source=interface.sh
resource_find interface

# The table is ours alone. It is kept when empty, because deleting it would race
# with an attach that adds a chain.
address_filter_table='netdev xen_hotplug'

# Set by address_filter_decide:
address_filter_serves=''    # y if the guest may be a server or router
address_filter_protocols=() # numbers of the other IP protocols that guests may send

# Set by address_filter_examine:
address_filter_listed=0
address_filter_hooked=''

address_filter_interface='' # set by address_filter_find_interface

address_filter_batch=''  # set by address_filter_deletion, for nft
address_filter_former='' # set by address_filter_find_former: what deletes the chains for former interfaces of this name

address_filter_arguments='INTERFACE MAC ADDRESSES'

# address_filter_acquire <interface> <MAC address> <addresses, or empty for all> [VLANs] [bridge]
# With VLANs, tagged frames pass, and the packets inside them are filtered. Without
# addresses there is a filter only if hotplug.conf sets bind_mac.
address_filter_acquire() {
	local chain=vif$domid.$devid
	address_filter_find_former
	address_filter_wanted "$@" || {
		address_filter_remove_former "$1"
		return
	}
	address_filter_possible "$@"
	[[ $type_if != tap ]] || chain+=-emu
	address_filter_decide "$2" "${5-}"
	library lib/address_filter_rules
	address_filter_rules_make "$chain" "${@:1:3}" "${4-}"
	interface_remember "$1"
	journal_remember chain "$chain" rules "$address_filter_rules_count" \
		allowed "${address_filter_serves:-n} ${address_filter_protocols[*]}"
	# Replacing a chain makes nft wait for an RCU grace period (16 ms instead of 4).
	run_with "$address_filter_former$address_filter_rules_create" nft -f - ||
		run_with "$address_filter_former$address_filter_rules_replace" nft -f - ||
		fail "Cannot filter what the guest sends on $1 (${3:-$2}): $reason"
}

# address_filter_plan <interface> <MAC address> <addresses> [VLANs] [bridge]
address_filter_plan() {
	! address_filter_wanted "$@" || address_filter_possible "$@"
}

# address_filter_release <interface> <MAC address> <addresses> [VLANs] [bridge]
# The chain is named after the domain's number, which no other guest has. It may be
# gone, because older kernels remove it with the interface.
address_filter_release() {
	local chain
	journal_recall chain chain
	[[ $chain ]] || return 0
	address_filter_deletion "$chain"
	run_with "$address_filter_batch" nft -f -
}

# address_filter_repair <interface> <MAC address> <addresses> [VLANs] [bridge]
# What the guest may send was decided at the attach. An interface that was renamed needs
# a new chain, because the kernel does not move one.
address_filter_repair() {
	local chain ifindex allowed
	journal_recall chain chain
	journal_recall ifindex ifindex
	journal_recall allowed allowed
	address_filter_find_interface "$1" "$ifindex" || return
	if [[ $allowed ]]; then
		read -ra address_filter_protocols <<<"${allowed#* }"
		address_filter_serves=${allowed%% *} address_filter_serves=${address_filter_serves#n}
	else
		# The journal of a former version; the interface has its vifname since the attach.
		vifname=$1 address_filter_decide "$2" "${5-}"
	fi
	library lib/address_filter_rules
	address_filter_rules_make "$chain" "$address_filter_interface" "$2" "$3" "${4-}"
	address_filter_deletion "$chain"
	# A deletion is only for what is there, because the watch hears of it.
	run_with "$address_filter_rules_create" nft -f - ||
		run_with "$address_filter_batch$address_filter_rules_create" nft -f -
}

# address_filter_deletion <chain>
# Sets address_filter_batch. Adding an existing object is no error, but deleting a
# missing one is.
address_filter_deletion() {
	address_filter_batch="add table $address_filter_table
add chain $address_filter_table $1
delete chain $address_filter_table $1
add counter $address_filter_table $1
delete counter $address_filter_table $1
"
}

# address_filter_find_former
# Sets address_filter_former. Since Linux 6.16, a chain stays when its interface goes,
# and applies to the next interface of that name.
address_filter_find_former() {
	local former type number index
	address_filter_former=''
	for former in "${interface_former[@]}"; do
		IFS=- read -r type number index <<<"$former"
		address_filter_deletion "$type$number.$index"
		address_filter_former+=$address_filter_batch
	done
}

# address_filter_remove_former <interface>
# For a guest without a filter.
address_filter_remove_former() {
	[[ $address_filter_former ]] && type -P nft >/dev/null || return 0
	run_with "$address_filter_former" nft -f - ||
		fail "Cannot remove the filter that an earlier guest's $1 has left: $reason"
}

# address_filter_check <interface> <MAC address> <addresses> [VLANs] [bridge]
address_filter_check() {
	local chain rules ifindex name
	journal_recall chain chain
	journal_recall rules rules
	journal_recall ifindex ifindex
	# Nothing is sent on an interface that is gone; interface_check says that.
	[[ $chain ]] && address_filter_find_interface "$1" "$ifindex" || return 0
	name=$address_filter_interface
	run nft list chain "${address_filter_table% *}" "${address_filter_table#* }" "$chain" || {
		[[ $reason != *'No such file'* ]] ||
			reason="Nothing filters $name, because its rules are gone; run 'xen-hotplug repair'."
		return 1
	}
	address_filter_examine "$name"
	[[ ! $rules || $rules == "$address_filter_listed" ]] ||
		reason="The filter of $name has $address_filter_listed of its $rules rules."
	[[ $address_filter_hooked ]] ||
		reason="Nothing filters $name, because its filter is for an interface of another name."
	[[ ! $reason ]]
}

# address_filter_find_interface <name at the attach> <ifindex, or empty in an old journal>
# Sets address_filter_interface to its name now; fails if it is gone.
address_filter_find_interface() {
	address_filter_interface=$1
	[[ $2 ]] || return 0
	interface_find "$2" || return
	address_filter_interface=$interface_found
}

# address_filter_examine <interface>
# Sets address_filter_listed to the number of rules in run_output, which is a listed
# chain, and address_filter_hooked if it is for this interface. The JSON of nft 1.0.6
# does not have the interface, so this reads its text: "hook ingress device "vif1.0"
# priority", or newer "devices = { "vif1.0" }".
address_filter_examine() {
	local line lines
	address_filter_listed=0 address_filter_hooked=''
	mapfile -t lines <<<"$run_output"
	for line in "${lines[@]}"; do
		[[ $line != *' '@(accept|drop) ]] || address_filter_listed=$((address_filter_listed + 1))
		line=${line//[\",\{\}]/ }
		[[ $line != *'hook ingress device'*" $1 "* ]] || address_filter_hooked=y
	done
}

# address_filter_wanted <interface> <MAC address> <addresses> [VLANs] [bridge]
address_filter_wanted() {
	local firewall bind
	[[ $3 || -e $hotplug_config ]] || return
	library lib/config
	config_get bind bind_mac
	[[ $3 || $bind == y ]] || return
	config_get firewall firewall
	[[ $firewall == none ]] || return 0
	[[ ! $3 ]] || warn "Everything that the guest sends on $1 passes, although it has ip=, since $hotplug_config says firewall = none."
	return 1
}

# address_filter_possible <interface> <MAC address> <addresses> [VLANs] [bridge]
# Fails if a filter cannot be installed.
address_filter_possible() {
	interface_is_plain "$1"
	[[ $2 ]] ||
		fail "What the guest sends on $1 cannot be filtered, as the node $XENBUS_PATH/mac is missing; attach the interface again."
	type -P nft >/dev/null ||
		fail "Cannot filter what the guest sends on $1 without nft; install the package nftables, or set firewall = none in $hotplug_config to attach without a filter."
}

# address_filter_decide <MAC address> <bridge, or empty>
# Sets what hotplug.conf allows the guest. It also reads vifname, which a tap has with
# -emu.
address_filter_decide() {
	local words word name=$vifname
	[[ $type_if != tap ]] || name=${name%-emu}
	config_get words protocols
	read -ra address_filter_protocols <<<"$words"
	config_get words serves
	read -ra words <<<"$words"
	address_filter_serves=''
	for word in "${words[@]}"; do
		[[ $word != "$name" && $word != "$2" && ${word,,} != "${1,,}" ]] || address_filter_serves=y
	done
}
