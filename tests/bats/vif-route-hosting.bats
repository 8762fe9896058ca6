# SPDX-License-Identifier: LGPL-2.1-only
# The set-ups of docs/vif-route.md, with the commands that stand there.

load ../lib/host
load ../lib/routed

setup() {
	routed_host
}

teardown() {
	routed_stop
	host_stop
}

# documented <word of its first command>
# Runs on the host the commands of the block of docs/vif-route.md that has the word.
documented() {
	local commands
	commands=$(awk -v word="$1" '/^```/ { if (found) exit; block = "" }
		/^\$ / { block = block substr($0, 3) "\n" } index($0, word) && /^\$ / { found = 1 }
		END { if (found) printf "%s", block }' "$root/docs/vif-route.md")
	[[ $commands ]] || return
	host bash -e -c "$commands"
}

@test "hosting: one address of the host's own network is found by ARP and neighbour discovery" {
	vif 1 0 ip '192.0.2.50 2001:db8::50'
	route_online 1 0
	space guest guest1.0 192.0.2.50/24 2001:db8::50/128
	inside guest ip route add default via 192.0.2.1
	inside guest ip route add 2001:db8::1 dev guest1.0
	inside guest ip route add default via 2001:db8::1
	inside outside ip route delete default
	inside outside ip -6 route delete default
	reaches outside 192.0.2.50 2001:db8::50
	reaches guest 192.0.2.9 2001:db8::9
}

@test "hosting: all addresses of a routed /29 and a /64 are the guest's, and its part of it another guest's" {
	inside outside ip route add 203.0.113.8/29 via 192.0.2.1
	inside outside ip route add 2001:db8:5::/64 via 2001:db8::1
	vif 1 0 ip '203.0.113.8/29 2001:db8:5::/64'
	route_online 1 0
	host ip link set vif1.0 address fe:ff:ff:ff:ff:ff
	guest 1 0 203.0.113.8/32 203.0.113.15/32 2001:db8:5::1/64 2001:db8:5::ffff/128
	inside inside-1-0 ip -6 route replace default via fe80::fcff:ffff:feff:ffff dev guest1.0
	reaches outside 203.0.113.8 203.0.113.15 2001:db8:5::1 2001:db8:5::ffff
	[[ ! "$(proxies)" ]]
	vif 2 0 ip '203.0.113.9 2001:db8:5:0:1::/80'
	route_online 2 0
	guest 2 0 203.0.113.9/32 2001:db8:5:0:1::2/128
	reaches outside 203.0.113.9 2001:db8:5:0:1::2 203.0.113.8 2001:db8:5::1
	reaches inside-2-0 203.0.113.15
	route_offline 1 0
	route_offline 2 0
	assert_unrouted
}

@test "hosting: a guest of a second uplink with its own table uses that uplink" {
	host ip link add eth1 type veth peer name outside2
	host ip address add 198.51.100.1/24 dev eth1
	host ip address add 2001:db8:b::1/64 dev eth1 nodad
	host ip link set eth1 up
	space second outside2 198.51.100.254/24 2001:db8:b::ff/64
	# The rest of the world, which only this uplink reaches; the first one drops it.
	inside second ip address add 203.0.113.77/32 dev lo
	inside second ip address add 2001:db8:77::77/128 dev lo
	host ip route add default via 192.0.2.9
	host ip route add default via 2001:db8::9
	documented 'suppress_prefixlength'
	vif 1 0 ip '198.51.100.50 2001:db8:b::50' gatewaydev eth1
	route_online 1 0
	vif 2 0 ip '192.0.2.50 2001:db8::50'
	route_online 2 0
	space guest guest1.0 198.51.100.50/32 2001:db8:b::50/128
	inside guest ip route add 198.51.100.1 dev guest1.0
	inside guest ip route add default via 198.51.100.1
	inside guest ip route add 2001:db8:b::1 dev guest1.0
	inside guest ip route add default via 2001:db8:b::1
	guest 2 0 192.0.2.50/32 2001:db8::50/128
	reaches guest 203.0.113.77 2001:db8:77::77 192.0.2.50 2001:db8::50
	reaches second 198.51.100.50 2001:db8:b::50
	reaches inside-2-0 198.51.100.50 2001:db8:b::50
	reaches_not inside-2-0 203.0.113.77
	route_offline 1 0
	route_offline 2 0
	[[ "$(host ip rule show pref 1001) $(host ip route show table 100)" == *'from 198.51.100.0/24 lookup 100'*'default via 198.51.100.254 dev eth1'* ]]
}
