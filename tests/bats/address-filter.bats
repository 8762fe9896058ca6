# SPDX-License-Identifier: LGPL-2.1-only
# ip=: the guest may use its addresses, and no others. Frames are sent from the
# guest's end of the interface, and looked for at another port of the bridge.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/wire
load ../lib/verdicts

@test "the guest's own IPv4 and ARP packets pass" {
	guest ip '10.0.0.1 10.0.0.5 10.1.0.0/24'
	verdicts ipv4 <<-'END'
		yes ipv4 src=10.0.0.5
		yes icmp
		yes ipv4 src=10.1.0.0
		yes ipv4 src=10.1.0.255
		yes ipv4 offset=800                                    # a fragment
		yes dhcp
		yes arp op=1
		yes arp op=2
		yes arp op=2 tpa=10.0.0.1                              # it announces itself
		yes arp op=1 spa=10.1.0.7
		yes arp op=1 spa=0.0.0.0 tpa=10.0.0.1                  # is this address free?
	END
}

@test "forged IPv4 and ARP packets are dropped" {
	guest ip '10.0.0.1 10.1.0.0/24'
	verdicts ipv4 <<-'END'
		no ipv4 src=10.0.0.3
		no icmp src=10.2.0.0
		no ipv4 src=10.0.255.255
		no ipv4 src=0.0.0.0
		no ipv4 src=255.255.255.255
		no ipv4 src=127.0.0.1
		no ipv4 src=10.0.0.3 offset=800
		no ipv4 mac=00:16:3e:00:00:02
		no dhcp mac=00:16:3e:00:00:02
		no dhcp chaddr=00:16:3e:00:00:02                       # it would lease an address for another
		no dhcp src=10.0.0.3
		no dhcp dst=10.0.0.2
		no dhcp sport=67 dport=68                              # as if it were a server
		no arp op=1 spa=10.0.0.3
		no arp op=2 spa=10.0.0.3
		no arp op=2 spa=10.0.0.3 tpa=10.0.0.3
		no arp op=2 sha=00:16:3e:00:00:02
		no arp op=1 mac=00:16:3e:00:00:02
		no arp op=1 spa=0.0.0.0 tpa=10.0.0.3                   # is another's address free?
		no arp op=2 spa=0.0.0.0 tpa=10.0.0.1
		no arp op=3
		no arp htype=6
		no arp hlen=8
		no ipv6 src6=fe80::216:3eff:fe00:1                     # it has no IPv6 address
		no icmpv6 src6=:: type=135 target=fd00::1
		no dhcpv6
	END
}

@test "the guest's own IPv6 packets pass" {
	guest ip 'fd00::1 fd01::/64'
	verdicts ipv6 <<-'END'
		yes ipv6 src6=fd01::9
		yes ipv6 src6=fd01::ffff:ffff:ffff:ffff
		yes ipv6 src6=fe80::216:3eff:fe00:1                    # of its MAC address
		yes ipv6 chain=d
		yes ipv6 chain=f
		yes ipv6 chain=F
		yes icmpv6 chain=F
		yes dhcpv6
		yes icmpv6 type=128
		yes icmpv6 type=128 chain=f
		yes icmpv6 type=133                                    # it asks for a router
		yes icmpv6 type=133 src6=fe80::216:3eff:fe00:1
		yes icmpv6 type=135 target=fd00::99                    # it asks for another
		yes icmpv6 type=136 target=fd00::1
		yes icmpv6 type=136 target=fd01::9
		yes icmpv6 type=136 target=fe80::216:3eff:fe00:1 src6=fe80::216:3eff:fe00:1
		yes icmpv6 type=135 src6=:: target=fd00::1             # is this address free?
		yes icmpv6 type=135 src6=:: target=fd01::9
		yes icmpv6 type=135 src6=:: target=fe80::216:3eff:fe00:1
		yes icmpv6 type=143 src6=:: chain=h                    # multicast listener reports
		yes icmpv6 type=131 src6=:: chain=h
		yes icmpv6 type=143 src6=fe80::216:3eff:fe00:1 chain=h
	END
}

@test "forged IPv6 packets are dropped" {
	guest ip 'fd00::1 fd01::/64'
	verdicts ipv6 <<-'END'
		no ipv6 src6=fd00::2
		no ipv6 src6=fd01:0:0:1::
		no ipv6 src6=fe80::1
		no ipv6 src6=::
		no ipv6 src6=ff02::1
		no ipv6 src6=fd00::2 chain=F
		no ipv6 mac=00:16:3e:00:00:02
		no dhcpv6 src6=fe80::1
		no icmpv6 src6=fd00::2
		no icmpv6 type=128 src6=::
		no icmpv6 type=134                                     # as if it were a router
		no icmpv6 type=134 src6=fe80::216:3eff:fe00:1
		no icmpv6 type=134 src6=::
		no icmpv6 type=134 chain=d
		no icmpv6 type=134 chain=f
		no icmpv6 type=134 chain=hd
		no icmpv6 type=134 chain=t
		no icmpv6 type=134 chain=T
		no icmpv6 type=137
		no icmpv6 type=137 src6=fe80::216:3eff:fe00:1
		no icmpv6 type=136 target=fd00::2
		no icmpv6 type=136 target=fe80::1
		no icmpv6 type=136 target=fd00::2 chain=d
		no icmpv6 type=136 target=fd00::2 chain=f
		no icmpv6 type=136 target=fd00::1 src6=fd00::2
		no icmpv6 type=136 target=fd00::1 src6=::
		no icmpv6 type=135 src6=:: target=fd00::2              # is another's address free?
		no icmpv6 type=135 src6=fd00::2
		no icmpv6 type=133 src6=::
		no ipv4                                                # it has no IPv4 address
		no dhcp
		no arp
	END
}

@test "with addresses of both families, each family is still filtered" {
	guest ip 'fd00::1 10.0.0.1'
	verdicts ipv6 <<-'END'
		yes ipv4
		yes arp
		yes dhcp
		yes dhcpv6
		no ipv4 src=10.0.0.3
		no icmp src=10.0.0.3
		no arp spa=10.0.0.3
		no ipv6 src6=fd00::2
		no icmpv6 type=134
	END
}

@test "frames that are tagged, or neither IP nor ARP, are dropped" {
	guest ip '10.0.0.1 fd00::1'
	verdicts ipv4 <<-'END'
		no other
		no other ether=88cc
		no other ether=0026                                    # as a bridge's
		no ipv4 tag=8100000a dst=10.0.0.4
		no ipv4 tag=81000000 dst=10.0.0.3
		no ipv4 tag=88a8000a dst=10.0.0.5
		no ipv4 tag=8100000a8100000b
		no arp tag=8100000a
		no ipv6 tag=8100000a
		no icmpv6 tag=8100000a type=134
	END
}

# table_is <text>
# Our table has that, and nothing else; none is as good as an empty one.
table_is() {
	[[ "$(host nft list ruleset | grep -v -e '^table netdev xen_hotplug {$' -e '^}$')" == "$1" ]]
}

@test "a real network stack reaches other hosts from the guest's addresses, even with duplicate address detection" {
	local guest
	guest ip '10.0.0.1 fd00::1' mac 00:16:3e:00:00:01
	setpriv --pdeathsig KILL unshare --net sleep infinity 3>&- &
	guest=$!
	until_true bash -c "[[ \$(readlink /proc/$guest/ns/net) != \$(readlink /proc/self/ns/net) ]]"
	host ip link set guest1.0 netns "$guest"
	host ip address add 10.0.0.2/24 dev other
	host ip address add fd00::2/64 dev other nodad
	in_guest() { nsenter --target "$guest" --net -- "$@"; }
	in_guest ip link set guest1.0 address 00:16:3e:00:00:01 up
	in_guest ip address add 10.0.0.1/24 dev guest1.0
	in_guest ip address add 10.0.0.3/24 dev guest1.0
	in_guest ip address add fd00::1/64 dev guest1.0
	until_true bash -c "[[ ! \$(nsenter --target $guest --net ip -6 address show dev guest1.0 tentative) ]]"
	until_true in_guest ping -c 1 -W 1 10.0.0.2
	until_true in_guest ping -c 1 -W 1 fd00::2
	until_true host ping -c 1 -W 1 10.0.0.1
	run ! in_guest ping -c 1 -W 1 -I 10.0.0.3 10.0.0.2
	kill "$guest"
}

@test "a tap has the same filter as its vif, in rules of its own" {
	guest ip 10.0.0.1
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	host ip link set tap1.0 up
	[[ "$(host "$root/tests/frames/send" tap1.0 other ipv4 <<<'ipv4 src=10.0.0.3')" == '' ]]
	tap_remove 1 0
	[[ "$(arriving ipv4 <<<'ipv4 src=10.0.0.3')" == '' ]]
}

@test "packets to the guest are not filtered" {
	guest ip 10.0.0.1
	[[ "$(host "$root/tests/frames/send" other guest1.0 ipv4 <<<'ipv6 src6=fd00::9')" ]]
}

@test "a guest without ip= may use any address, and nft is not started for it" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ntouch %q/called\nexit 1\n' "$BATS_TEST_TMPDIR" | program "$BATS_TEST_TMPDIR/bin/nft"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH guest
	[[ ! -e "$BATS_TEST_TMPDIR/called" ]]
	verdicts ipv4 <<<'yes ipv4 src=10.9.9.9 mac=00:16:3e:00:00:77'
}

@test "the filter is there before the interface is up" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	program "$BATS_TEST_TMPDIR/bin/ip" <<-END
		#!/bin/bash
		[[ \$1 != -batch ]] || $(type -P nft) list chain netdev xen_hotplug vif1.0 >>$BATS_TEST_TMPDIR/before
		exec $(type -P ip) "\$@"
	END
	PATH=$BATS_TEST_TMPDIR/bin:$PATH guest ip 10.0.0.1
	grep 'policy drop' "$BATS_TEST_TMPDIR/before"
}

@test "detach removes the rules, even if the bridge, the interface or the rules are gone" {
	local gone
	for gone in 'true' 'ip link delete xenbr0' 'nft delete table netdev xen_hotplug' 'ip link delete vif1.0'; do
		moment=$gone
		[[ $gone == true ]] || host ip link show vif1.0
		[[ $gone == true ]] && guest ip 10.0.0.1 || online 1 0
		host bash -c "$gone"
		offline 1 0
		table_is ''
		[[ $gone != *xenbr0 ]] || host ip link add xenbr0 up type bridge
	done
}

@test "check reports missing rules" {
	guest ip 10.0.0.1
	online 1 0
	[[ "$(host nft list ruleset | grep -c hook)" == 1 ]]
	call vif-bridge check vif 1 0
	host nft delete chain netdev xen_hotplug vif1.0
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && $output == *'broken  address_filter'* ]]
}

@test "check reports a filter without some of its rules, and one that is not for this interface" {
	guest ip 10.0.0.1
	host nft flush chain netdev xen_hotplug vif1.0
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && $output == *'broken  address_filter: The filter of vif1.0 has 0 of its '*' rules.'* ]]
	online 1 0
	call vif-bridge check vif 1 0
	host nft flush ruleset
	run call vif-bridge check vif 1 0
	[[ "$status" -eq 1 && $output == *'broken  address_filter: Nothing filters vif1.0, because its rules are gone;'* ]]
	online 1 0
	host ip link set vif1.0 down name renamed
	run call vif-bridge check vif 1 0
	echo "$output"
	[[ "$status" -eq 1 && $output == *'broken  address_filter: Nothing filters renamed, because its filter is for an interface of another name.'* ]]
	host ip link set renamed name vif1.0
}

@test "an attach replaces stale rules that no journal names" {
	guest ip 10.0.0.1
	host rm /run/xen-hotplug/vif-1-0
	nodes backend/vif/1/0 ip 10.0.0.5
	online 1 0
	verdicts 'arp spa=10.0.0.5' <<-'END'
		yes ipv4 src=10.0.0.5
		no ipv4 src=10.0.0.1
	END
}

@test "rules of other programs stay" {
	host nft add table netdev others
	guest ip 10.0.0.1
	offline 1 0
	host nft list table netdev others
}

@test "64 addresses of both families, some overlapping, give one working filter" {
	local addresses i
	printf -v addresses '10.0.0.%s ' {1..29}
	for ((i = 1; i <= 31; i++)); do addresses+="fd00::$i "; done
	guest ip "10.0.0.0/24 fd00::/64 10.0.0.0/25 fd00::/64 $addresses"
	verdicts ipv6 <<-'END'
		yes ipv4 src=10.0.0.29
		no ipv4 src=10.0.1.1
		yes icmpv6 type=136 target=fd00::31
		no icmpv6 type=136 target=fd01::31
	END
}

@test "an invalid list of addresses is refused before any change" {
	local value refused=0
	host ip link delete xenbr0 # subject_make has its own
	subject_make vif
	while IFS= read -r value; do
		sampled || continue
		moment="ip is $value"
		subject_nodes
		xenstore-write -R -- "$subject_path/ip" "$value"
		libxl attach
		assert_ended 1
		assert_refused "$subject_path" error 'Parameter ip is'
		assert_nothing_but_wire
		refused=$((refused + 1))
	done < <(
		printf '%s\n' 0.0.0.0 0.0.0.0/0 ::/0 :: ::1 10.0.0.1/64 10.0.0.0/7 fd00::/8 256.0.0.1 \
			10.0.0 10.0.0.01 10.0.0.1,10.0.0.2 fd00::10.0.1 fd00::1::2 fe80::1%eth0 '10.0.0.1 }' 'a b' ' ' '*' 224.0.0.1 ff02::1
		printf '%s\n' 10.0.0.0/255.0.255.0
	)
	say_tried "$refused" 'refused values' 22
}

@test "an address with the length of its network is that address" {
	guest ip '10.0.9.1/16 fd00::1/64 10.1.0.0/24'
	verdicts 'ipv4 src=10.0.9.1' <<-'END'
		no ipv4 src=10.0.9.2
		yes ipv4 src=10.1.0.2
		yes ipv6 src6=fd00::1
		yes icmpv6 type=136 target=fd00::1
		no ipv6 src6=fd00::2
		no icmpv6 type=136 target=fd00::2
	END
	grep -F '10.0.9.1/16 fd00::1/64, which is taken for one host' "$log"
}

# assert_nothing_but_wire
assert_nothing_but_wire() {
	host_residue | run ! grep -v '^port wire of xenbr0$'
	table_is ''
	host ip link show vif1.0
}

@test "an invalid MAC address is refused" {
	vif 1 0 bridge xenbr0 ip 10.0.0.1 mac 00:16:3e:00:00:zz
	run online 1 0
	assert_refused backend/vif/1/0 error "The MAC address is '00:16:3e:00:00:zz'"
	assert_nothing_but_wire
}

@test "without nft, a guest with ip= is refused with the package to install" {
	vif 1 0 bridge xenbr0 ip 10.0.0.1
	without nft
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'install the package nftables'
	assert_nothing_but_wire
}

@test "if nft fails, the attach is rolled back and the error has nft's reason" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho Error: no >&2\nexit 1\n' | program "$BATS_TEST_TMPDIR/bin/nft"
	vif 1 0 bridge xenbr0 ip 10.0.0.1 vifname web
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error 'Error: no'
	offline 1 0
	assert_nothing_but_wire
}

@test "a vifname that nft would read as a pattern is refused" {
	vif 1 0 bridge xenbr0 ip 10.0.0.1 vifname 'w*'
	run online 1 0
	[[ "$status" -eq 1 ]]
	assert_refused backend/vif/1/0 error "cannot be used in firewall rules"
	assert_nothing_but_wire
}

@test "after a kill at any moment of the attach, the detach leaves no rules" {
	host ip link delete xenbr0 # subject_make has its own
	# shellcheck disable=SC2317 # the library calls it
	assert_nothing_held() {
		local left
		left=$(nothing_held_but)
		echo "left behind: $left"
		[[ ! $left ]] && table_is ''
	}
	subject_make vif
	subject_settings+=(ip '10.0.0.1 fd00::1')
	subject_nodes
	killed_everywhere attach 26
}
