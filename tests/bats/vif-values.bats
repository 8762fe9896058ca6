# SPDX-License-Identifier: LGPL-2.1-only
# Each value of a vif line that starts a guest with Xen's scripts starts one with ours.
# docs/network.md has the table of these, with the titles of the tests.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed
load ../lib/ovs

setup() {
	routed_host
	bridge xenbr0
}

teardown() {
	local status=0
	report_moment
	routed_stop
	host_stop || status=1
	ovs_stop
	return "$status"
}

# connects <script> [node value]...
# Guest 1's interface with these nodes is connected, and its detach leaves nothing.
connects() {
	moment="$*"
	vif 1 0 "${@:2}"
	call "$1" online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	call "$1" offline vif 1 0 type_if=vif
	assert_unrouted
	host ip link delete vif1.0
	xenstore-rm backend/vif/1/0
	moment=''
}

# connects_each <node>
# With each value on standard input.
connects_each() {
	local script value tried=0
	while IFS='|' read -r script value; do
		sampled || continue
		connects "$script" bridge xenbr0 "$1" "$value"
		tried=$((tried + 1))
	done
	say_tried "$tried" "values of $1" "$2"
}

# filtered_for <ip=> <address>...
# With that ip=, the filter has these addresses of IPv4 in this order.
filtered_for() {
	local rules
	vif 1 0 bridge xenbr0 ip "$1"
	online 1 0
	rules=$(host nft list chain netdev xen_hotplug vif1.0)
	[[ $rules == *"arp saddr ip $2 accept"* ]] || {
		printf '%s\nhas not: %s\n' "$rules" "$2"
		return 1
	}
	offline 1 0
	host ip link delete vif1.0
}

@test "an ip= may have host bits, a netmask, repeated addresses, white space and any spelling of IPv6" {
	connects_each ip 10 <<-'LIST'
		vif-bridge|10.0.9.1/16
		vif-bridge|10.0.9.1/255.255.0.0 10.1.0.0/255.255.255.0
		vif-bridge|10.0.9.1 10.0.9.1/32 10.0.9.1/24
		vif-bridge|2001:DB8::0:1 2001:db8::1/128 2001:db8:0:0:0:0:192.0.2.1
		vif-route|198.51.100.5 198.51.100.5/32 198.51.100.5/24
		vif-route|2001:db8:5::5 2001:DB8:5:0::5/64 198.51.100.64/255.255.255.192
		vif-nat|10.0.9.1/16
		vif-nat|10.0.9.1/255.255.0.0 10.0.9.1
		vif-nat|10.0.9.200
		vif-nat|10.0.9.0/24 2001:db8:9::/64
	LIST
	connects vif-bridge bridge xenbr0 ip $' 10.0.9.1\t10.0.9.2\n10.0.9.3 '
	filtered_for $' 10.0.9.1\t10.0.9.2\n10.0.9.3 10.0.9.1' '{ 10.0.9.1, 10.0.9.2, 10.0.9.3 }'
	filtered_for '10.0.9.0/255.255.255.0 10.0.9.0/24' 10.0.9.0/24
}

@test "an ip= may be as long as a node of the store" {
	local list part script
	printf -v list '10.1.%d.1 ' {1..255}
	printf -v part '10.2.%d.1 ' {1..130}
	for script in vif-bridge vif-route vif-nat; do
		connects "$script" bridge xenbr0 ip "$list$part"
	done
}

@test "an empty ip=, vifname=, mtu= or gatewaydev= counts as not given" {
	connects vif-bridge bridge xenbr0 ip '' vifname '' mtu '' vlan ''
	connects vif-route bridge xenbr0 ip '' vifname '' mtu '' gatewaydev ''
	connects vif-nat bridge xenbr0 ip '' vifname '' mtu '' gatewaydev ''
	connects vif-bridge bridge '' ip ''
}

@test "a vifname may be 15 bytes of any characters that the scripts of a host can use" {
	connects vif-bridge bridge xenbr0 vifname abcdefghijklmno
	connects vif-bridge bridge xenbr0 vifname 'web+1'
	connects vif-bridge bridge xenbr0 vifname vif1.0
	connects vif-route bridge xenbr0 ip 198.51.100.5 vifname web_1.a-b@c
	connects vif-nat bridge xenbr0 vifname Web-1
}

@test "a MAC address may have small or capital letters and be of any manufacturer" {
	connects vif-bridge bridge xenbr0 ip 10.0.9.1 mac 00:16:3E:AB:CD:EF
	connects vif-bridge bridge xenbr0 ip 10.0.9.1 mac 02:00:00:00:00:01
	connects vif-route bridge xenbr0 ip 198.51.100.5 mac fe:ff:ff:ff:ff:ff
}

@test "nodes that no script reads change nothing" {
	connects vif-bridge bridge xenbr0 rate 1250000,50000 forwarddev eth9 colo_compare_out a/b \
		/local/domain/1/device/vif/0/trusted 0 devid 7 model e1000 accel x
	connects vif-route bridge xenbr9 ip 198.51.100.5 vlan 10 rate 0,0
	connects vif-nat bridge xenbr9 vlan 10p/20 gatewaydev eth9
}

@test "a bridge of Xen 3, called xenbrN, is the one that is now called ethN" {
	bridge eth1
	connects vif-bridge bridge xenbr1
	vif 1 0 bridge xenbr1
	online 1 0
	[[ -e $host_root/sys/class/net/eth1/brif/vif1.0 ]]
}

@test "gatewaydev= may be a bridge, lo or an interface that is down, with an address of the link's scope" {
	host ip address add 203.0.113.1/32 dev lo
	host ip address add 203.0.113.2/24 dev xenbr0
	host ip link add eth0.7 type veth peer name trunk
	host ip address add 203.0.113.3/24 dev eth0.7
	host ip link add down0 type veth peer name far0
	host ip address add 169.254.1.1/32 dev down0 scope link
	connects vif-route ip 198.51.100.5 gatewaydev xenbr0
	connects vif-route ip 198.51.100.5 gatewaydev eth0.7
	connects vif-route ip 198.51.100.5 gatewaydev down0
	vif 1 0 ip 198.51.100.5 gatewaydev lo
	route_online 1 0
	[[ "$(addresses_of vif1.0)" == '203.0.113.1/32 ' ]]
}

@test "a gateway that has only addresses of this host is refused" {
	vif 1 0 ip 198.51.100.5 gatewaydev lo
	run route_online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "The interface lo has no IPv4 address, which the guest's 198.51.100.5 needs"
	assert_unrouted
}

@test "each test that the table of vif values names exists" {
	local rows titles title
	mapfile -t rows < <(sed -n '/^## Each value of a /,/^## .*hotplug/s/^| .* |$/&/p' "$root/docs/network.md")
	mapfile -t titles < <(printf '%s\n' "${rows[@]}" | sed -n 's/.*| "\(.*\)" |$/\1/p')
	((${#titles[@]} > 25 && ${#rows[@]} == ${#titles[@]} + 1)) # the heading
	for title in "${titles[@]}"; do
		grep -qF "@test \"$title\" {" "$root"/tests/{bats,conformance,e2e/suite}/*.bats || {
			echo "no test: $title"
			return 1
		}
	done
}
