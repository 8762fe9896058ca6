# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# What a guest may send: from its own MAC address, and from the addresses of its
# ip= alone. The rules stand where the kernel receives what the guest sends,
# before it knows of a bridge, of Open vSwitch or of a route. Each interface has
# a chain of its own, so that a packet meets no other guest's rules.
# docs/network.md says what passes.

# shellcheck source=interface.sh
resource_find interface

# The table is ours alone. It stays, empty, when the last chain has gone: who
# deleted it could not know that nobody adds one meanwhile.
address_filter_table='netdev xen_hotplug'

# address_filter_acquire <interface> <MAC address> <addresses, or empty for all> [VLANs]
# What has a tag passes where there are VLANs, and its inside is filtered.
# Without addresses there is a filter only where the host binds MAC addresses.
address_filter_acquire() {
	local rules instead chain=vif$domid.$devid
	address_filter_wanted "$@" || return 0
	address_filter_possible "$@"
	[[ $type_if != tap ]] || chain+=-emu
	library address_filter_rules
	address_filter_rules_make "$@"
	journal_remember chain "$chain"
	# Where it changes a chain, nft ends when the kernel knows that no packet is in
	# the old one, which takes several times as long as all else.
	run_aside "Cannot filter what the guest sends on $1 (${3:-$2})" "$rules" "$instead" nft -f -
}

# address_filter_plan <interface> <MAC address> <addresses> [VLANs]
address_filter_plan() {
	! address_filter_wanted "$@" || address_filter_possible "$@"
}

# address_filter_release <interface> <MAC address> <addresses> [VLANs]
# The chain is named after the guest's number, which no other guest has, and may
# be gone: older kernels remove it with the interface.
address_filter_release() {
	local chain
	journal_recall chain chain
	[[ $chain ]] || return 0
	# To delete what is not there is an error, to add what is there is none.
	run_with "add table $address_filter_table
add chain $address_filter_table $chain
delete chain $address_filter_table $chain
add counter $address_filter_table $chain
delete counter $address_filter_table $chain
" nft -f -
}

# address_filter_check <interface> <MAC address> <addresses> [VLANs]
address_filter_check() {
	local chain
	journal_recall chain chain
	[[ ! $chain ]] || run nft list chain "${address_filter_table% *}" "${address_filter_table#* }" "$chain"
}

# address_filter_wanted <interface> <MAC address> <addresses> [VLANs]
address_filter_wanted() {
	local firewall bind
	[[ $3 || -e $hotplug_config ]] || return
	library config
	config_get bind bind_mac
	[[ $3 || $bind == y ]] || return
	config_get firewall firewall
	[[ $firewall == none ]] || return 0
	[[ ! $3 ]] || address_filter_tell "Everything that the guest sends on $1 passes, although it has ip=, since $hotplug_config says firewall = none."
	return 1
}

# address_filter_tell <sentence>
# Tells the log and the person: who wrote ip= may rely on it.
address_filter_tell() {
	printf '%s\n' "$1" >&2
	helper fail '' "$1" || :
}

# address_filter_possible <interface> <MAC address> <addresses> [VLANs]
# Fails where there can be no filter.
address_filter_possible() {
	interface_is_plain "$1"
	[[ $2 ]] ||
		fail "What the guest sends on $1 cannot be filtered, as the node $XENBUS_PATH/mac is missing; attach the interface again."
	type -P nft >/dev/null ||
		fail "What the guest sends on $1 cannot be filtered (${3:-$2}), as there is no command nft; install the package nftables, or write firewall = none into $hotplug_config, and nothing is."
}
