# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# A host that routes: it forwards, its eth0 has 192.0.2.1 and 2001:db8::1, and
# behind that is a neighbour in a namespace of its own. A guest is another.
# Sourced by bats files, after host.bash.

declare -gA routed_spaces=() # the process ids of the namespaces, by name

# routed_host
# Starts the host, with the neighbour.
routed_host() {
	host_start
	domain 1
	domain 2
	host ip link add eth0 type veth peer name outside
	host ip address add 192.0.2.1/24 dev eth0
	host ip address add 2001:db8::1/64 dev eth0 nodad
	host ip link set eth0 up
	host sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	space outside outside 192.0.2.9/24 2001:db8::9/64
	inside outside ip route add default via 192.0.2.1
	inside outside ip route add default via 2001:db8::1
}

# routed_stop
routed_stop() {
	local pid
	for pid in "${routed_spaces[@]}"; do
		kill "$pid"
	done
}

# space <name> <interface> <address>...
# A namespace that has this interface of the host's, with the addresses.
space() {
	local address options ready
	exec {ready}< <(exec setpriv --pdeathsig KILL unshare --net bash -c \
		'ip link set lo up; echo ready; exec sleep infinity >/dev/null' 3>&-)
	routed_spaces[$1]=$!
	read -r -t "$generous" -u "$ready" _ || return
	exec {ready}<&-
	host ip link set "$2" netns "${routed_spaces[$1]}"
	inside "$1" ip link set "$2" address 00:16:3e:00:00:01 up
	for address in "${@:3}"; do
		options=(dev "$2")
		[[ $address != *:* ]] || options+=(nodad)
		inside "$1" ip address add "$address" "${options[@]}"
	done
}

# guest <domid> <devid> <address>...
# The guest has these addresses, and its default routes are through the host.
guest() {
	space "inside-$1-$2" "guest$1.$2" "${@:3}"
	inside "inside-$1-$2" ip route add 192.0.2.1 dev "guest$1.$2" 2>/dev/null || :
	inside "inside-$1-$2" ip route add default via 192.0.2.1 dev "guest$1.$2" || return
	inside "inside-$1-$2" ip route add 2001:db8::1 dev "guest$1.$2"
	inside "inside-$1-$2" ip route add default via 2001:db8::1 dev "guest$1.$2"
}

# inside <name> <command>...
# Runs a command in that namespace.
inside() {
	nsenter --target "${routed_spaces[$1]}" --net -- "${@:2}"
}

# reaches <name> <address>...
# Each answers to a ping from there.
reaches() {
	local address
	for address in "${@:2}"; do
		until_true inside "$1" ping -q -c 1 -W 1 "$address" >/dev/null || {
			echo "$1 does not reach $address"
			return 1
		}
	done
}

# reaches_not <name> <address>...
# None answers, although the host does.
reaches_not() {
	local address
	reaches "$1" 192.0.2.1
	for address in "${@:2}"; do
		! inside "$1" ping -q -c 1 -W 1 "$address" >/dev/null || {
			echo "$1 does reach $address"
			return 1
		}
	done
}

# The calls, each with the ids of the device.
route_online() { call vif-route online vif "$1" "$2" type_if=vif; }
route_offline() { call vif-route offline vif "$1" "$2" type_if=vif; }
nat_online() { call vif-nat online vif "$1" "$2" type_if=vif; }
nat_offline() { call vif-nat offline vif "$1" "$2" type_if=vif; }

# proxies
# What the host answers for.
proxies() {
	host ip neighbour show proxy
}

# addresses_of <interface>
# But for those of the link.
addresses_of() {
	host ip -json address show dev "$1" scope global |
		jq -j '.[].addr_info[]? | select(.local) | "\(.local)/\(.prefixlen) "'
}

# routed_subject <script>
# For the tests that let one thing go wrong at each moment (enumerate.bash,
# which is to be sourced first): an interface that the script attaches.
routed_subject() {
	subject_is vif "$1" ip "$routed_ip" vifname web mtu 1400
	vif_link vif1.0 guest1.0
	subject_nodes
}

# The guest's ip= in such a test, and how many proxies, IPv4 and IPv6 routes that makes.
routed_ip='198.51.100.5 198.51.100.64/26 2001:db8:5::5'
routed_counts='2 2 1'

# assert_attached
# As enumerate.bash needs it, for a routed interface.
assert_attached() {
	assert_node "$subject_path/hotplug-status" connected || return
	[[ "$(proxies | wc -l) $(host ip route | grep -c 'dev web ') $(host ip -6 route | grep -c 'dev web .*metric 2 ')" == "$routed_counts" ]]
}

# nothing_held_but
# Likewise.
nothing_held_but() {
	host_journals
	[[ -e $host_root/sys/class/net/$subject_link ]] || echo "no interface $subject_link"
	routed_rules 'neighbour show proxy' 'route show' | grep -E 'proxy|web|vif1|(chain|counter) .?vif|_nat|XEN_HOTPLUG'
}

# routed_rules <show of ip>...
# Prints what ip shows, and the rules of nftables and iptables.
routed_rules() {
	# shellcheck disable=SC2016 # the inner shell expands
	host bash -c '
		printf "%s\n" "$@" | ip -batch -
		nft list ruleset
		iptables --list-rules
		ip6tables --list-rules' - "$@"
}

# assert_unrouted
# Nothing of any guest is left in the kernel, nor a journal.
assert_unrouted() {
	local left
	left=$(
		# The filter's table stays, without chains; so do those that iptables makes for itself.
		routed_rules 'neighbour show proxy' 'route show' '-6 route show' |
			grep -E 'proxy|dev vif|chain .?vif|xen_hotplug_nat|XEN|xen-hotplug' | grep -vE 'dev vif.* metric (256|1024)'
		host_residue
	) || :
	[[ ! $left ]] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}
