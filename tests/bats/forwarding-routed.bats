# SPDX-License-Identifier: LGPL-2.1-only
# Guests of vif-route and vif-nat get through a host whose iptables drops what
# it does not know, as Docker's does. With packets: what is behind eth0 is a
# namespace of its own, and so is a guest.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed
load ../lib/iptables

setup() {
	routed_host
}

teardown() {
	report_moment
	routed_stop
	host_stop
}

# own_rules <group> [match of packets to the guests]
# What iptables lists while guests are attached, however many there are.
own_rules() {
	local family
	for family in 4 6; do
		printf '%s\n' '-A FORWARD -j XEN_HOTPLUG' "-A XEN_HOTPLUG -m devgroup --src-group $1 -j ACCEPT" \
			"-A XEN_HOTPLUG ${2:+$2 }-m devgroup --dst-group $1 -j ACCEPT"
	done
}

# assert_routed_through
# A guest with addresses of both families, and all beyond the host, reach each
# other as long as it is attached.
assert_routed_through() {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5' vifname web
	call vif-route online vif 1 0 type_if=vif
	guest 1 0 198.51.100.5/32 2001:db8:5::5/128
	reaches outside 198.51.100.5 2001:db8:5::5
	reaches inside-1-0 192.0.2.9 2001:db8::9
	diff <(rules) <(own_rules 0x78656e01)
	call vif-route online vif 1 0 type_if=vif
	diff <(rules) <(own_rules 0x78656e01)
	call vif-route check vif 1 0
	call vif-route offline vif 1 0 type_if=vif
	assert_unrouted
	[[ ! "$(rules)" ]]
}

@test "a routed guest passes a host that drops, in both directions" {
	iptables_drops
	assert_routed_through
}

@test "a routed guest passes a legacy iptables (without nftables)" {
	legacy
	iptables_drops
	assert_routed_through
}

@test "without the rules, a host that drops stops a routed guest" {
	iptables_drops
	vif 1 0 ip 198.51.100.5
	call vif-route online vif 1 0 type_if=vif
	guest 1 0 198.51.100.5/32
	reaches outside 198.51.100.5
	host iptables --flush FORWARD
	reaches_not inside-1-0 192.0.2.9
	reaches_not outside 198.51.100.5
	run call vif-route check vif 1 0
	[[ "$status" -eq 1 && "$output" == *'broken  forwarding'* ]]
}

# assert_translated_through
# Two guests behind the host reach the network and each other; the network
# reaches neither, although it knows the way.
assert_translated_through() {
	local domid
	for domid in 1 2; do
		vif "$domid" 0
		call vif-nat online vif "$domid" 0 type_if=vif
		space "inside-$domid-0" "guest$domid.0" "10.0.$domid.1/32" "fd58:656e:6e61:$domid::1/128"
		inside "inside-$domid-0" ip route add "10.0.$domid.128" dev "guest$domid.0"
		inside "inside-$domid-0" ip route add default via "10.0.$domid.128"
		inside "inside-$domid-0" ip route add "fd58:656e:6e61:$domid::81" dev "guest$domid.0"
		inside "inside-$domid-0" ip route add default via "fd58:656e:6e61:$domid::81"
	done
	reaches inside-1-0 192.0.2.9 2001:db8::9 10.0.2.1 fd58:656e:6e61:2::1
	reaches inside-2-0 192.0.2.9 2001:db8::9 10.0.1.1
	# Its default route is through the host.
	reaches_not outside 10.0.1.1 fd58:656e:6e61:1::1
	call vif-nat offline vif 2 0 type_if=vif
	diff <(rules) <(own_rules 0x78656e02 '-m conntrack --ctstate RELATED,ESTABLISHED')
	call vif-nat offline vif 1 0 type_if=vif
	assert_unrouted
	[[ ! "$(rules)" ]]
}

@test "a guest of vif-nat passes a host that drops, and nobody can reach it" {
	iptables_drops
	assert_translated_through
}

@test "a guest of vif-nat passes a legacy iptables (without nftables)" {
	legacy
	iptables_drops
	assert_translated_through
}

@test "a routed guest passes a chain whose policy accepts and whose last rule rejects" {
	host iptables --append FORWARD --jump REJECT
	vif 1 0 ip 198.51.100.5
	call vif-route online vif 1 0 type_if=vif
	guest 1 0 198.51.100.5/32
	reaches outside 198.51.100.5
	call vif-route offline vif 1 0 type_if=vif
	[[ "$(rules)" == '-A FORWARD -j REJECT --reject-with icmp-port-unreachable' ]]
}

@test "if iptables drops nothing, no rule and no table is added" {
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	call vif-route online vif 1 0 type_if=vif
	guest 1 0 198.51.100.5/32 2001:db8:5::5/128
	reaches outside 198.51.100.5 2001:db8:5::5
	[[ "$(host nft list tables)" == 'table netdev xen_hotplug' ]]
}

@test "a native nftables firewall is left alone, even if its table has the name that iptables uses" {
	local before
	host nft -f - <<-'END'
		table ip filter { chain forward { type filter hook forward priority 0; policy drop; }; }
		table inet others { chain forward { type filter hook forward priority 0; policy drop; }; }
	END
	before=$(host nft list table ip filter && host nft list table inet others)
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	call vif-route online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	[[ "$(host nft list table ip filter && host nft list table inet others)" == "$before" ]]
	call vif-route offline vif 1 0 type_if=vif
	[[ "$(host nft list table ip filter && host nft list table inet others)" == "$before" ]]
}

@test "iptables is not called for a family that the guest does not have" {
	iptables_drops
	noted ip6tables ip6tables-restore
	vif 1 0 ip 198.51.100.5
	call vif-route online vif 1 0 type_if=vif
	[[ "$(host iptables --list-rules XEN_HOTPLUG | grep -c ACCEPT)" == 2 ]]
	[[ ! -e "$BATS_TEST_TMPDIR/called" ]]
}

@test "an iptables that does not work in this kernel is ignored, unless hotplug.conf selects it" {
	noted iptables iptables-restore
	configured
	vif 1 0 ip 198.51.100.5
	call vif-route online vif 1 0 type_if=vif
	assert_node backend/vif/1/0/hotplug-status connected
	[[ "$(<"$BATS_TEST_TMPDIR/called")" == iptables ]]
	call vif-route offline vif 1 0 type_if=vif
	configured 'firewall = iptables'
	run call vif-route online vif 1 0 type_if=vif
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'Cannot see whether the packets of vif1.0 pass iptables'
	assert_unrouted
}

@test "with firewall = nftables or none, iptables is not called for a routed guest" {
	local firewall
	noted iptables{,-restore} ip6tables{,-restore}
	vif 1 0 ip '198.51.100.5 2001:db8:5::5'
	for firewall in nftables none; do
		configured "firewall = $firewall"
		call vif-route online vif 1 0 type_if=vif
		call vif-route offline vif 1 0 type_if=vif
	done
	[[ ! -e "$BATS_TEST_TMPDIR/called" ]]
}

@test "a routed guest is refused without any change while another program holds iptables' lock" {
	local lock
	legacy
	iptables_drops
	vif 1 0 ip 198.51.100.5
	exec {lock}>"$BATS_TEST_TMPDIR/run/xtables.lock"
	flock --nonblock "$lock"
	run call vif-route online vif 1 0 type_if=vif
	exec {lock}>&-
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'held the lock of iptables'
	[[ ! "$(rules)" ]]
	assert_link_down vif1.0
	assert_unrouted
}

@test "a routed vif on a host that drops is detached without residue after a kill at any moment of its attach" {
	iptables_drops
	routed_subject vif-route
	killed_everywhere attach 56
	[[ ! "$(rules)" ]]
}
