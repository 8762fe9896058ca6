# SPDX-License-Identifier: LGPL-2.1-only
# ip=: what a guest may be to others. It is no DHCP server, router or querier, unless
# hotplug.conf says so; and it may send only the protocols that are listed there.

load ../lib/host
load ../lib/enumerate
load ../lib/wire
load ../lib/verdicts

# What a server, router or querier sends, from addresses of its own. Each line is a
# frame and, behind #, what it does to others.
serving() {
	cat <<-'END'
		dhcp src=10.0.0.1 request=2 sport=67 dport=68            # DHCP: it gives others their address and router
		dhcp src=10.0.0.1 request=2 sport=1000 dport=68          # the same, as clients look only at their own port
		dhcp src=10.0.0.1 request=2 sport=67 dport=67            # the same, by way of a relay
		dhcpv6 message=2 sport=547 dport=546                     # DHCPv6: it gives others their address and name server
		dhcpv6 message=7 sport=1000 dport=546
		dhcpv6 message=7 sport=547 dport=546 src6=fd00::1
		dhcpv6 message=13 dport=547 sport=547                    # the same, by way of a relay
		dhcpv6 message=2 sport=547 dport=546 chain=a             # the same, as a fragment
		icmp type=5                                              # redirect: others send it what is for somebody else
		icmp type=9                                              # router advertisement of IPv4
		icmp type=18                                             # address mask reply
		igmp type=17                                             # query: switches send it all multicast
		igmp type=48                                             # multicast router advertisement
		icmpv6 type=130 chain=h src6=fe80::216:3eff:fe00:1       # MLD query
		icmpv6 type=130 chain=h
		icmpv6 type=134 src6=fe80::216:3eff:fe00:1               # router advertisement: others send it all packets
		icmpv6 type=134 chain=h
		icmpv6 type=134 chain=ddd
		icmpv6 type=134 chain=a
		icmpv6 type=134 chain=f
		icmpv6 type=134 chain=aa                                 # nested fragments
		icmpv6 type=134 chain=r
		icmpv6 type=134 chain=R
		icmpv6 type=137 src6=fe80::216:3eff:fe00:1               # redirect
		icmpv6 type=138                                          # router renumbering
		icmpv6 type=139                                          # node information query
		icmpv6 type=140                                          # node information reply
		icmpv6 type=141                                          # inverse neighbour discovery
		icmpv6 type=142
		icmpv6 type=145                                          # home agent discovery
		icmpv6 type=147                                          # mobile prefix advertisement
		icmpv6 type=149                                          # certification path advertisement
		icmpv6 type=151                                          # multicast router advertisement
		icmpv6 type=155                                          # routing in a low-power network
		ipv4 proto=112 dst=224.0.0.18                            # VRRP: it takes over a router's address
		ipv4 proto=89 dst=224.0.0.5                              # OSPF
		ipv4 proto=47                                            # GRE: hosts that unpack it hide the sender
		ipv4 proto=41                                            # IPv6 in IPv4, likewise
		ipv6 proto=112
		ipv6 proto=4                                             # IPv4 in IPv6
		ipv6 proto=51                                            # AH, behind which the rest is not seen
	END
}

@test "a guest with ip= cannot be a server, router or querier" {
	guest ip '10.0.0.1 fd00::1'
	verdicts ipv4 < <(serving | sed 's/^/no /')
}

@test "a guest that hotplug.conf names by vifname, MAC address or bridge may be one" {
	local name
	for name in web 00:16:3E:00:00:01 xenbr0; do
		moment="serves = $name"
		configured "serves = other $name" 'bind_mac = y'
		if [[ $name == web ]]; then guest ip '10.0.0.1 fd00::1' vifname web; else online 1 0; fi
		verdicts ipv4 < <(serving | sed 's/^/yes /')
		verdicts ipv4 <<-'END'
			no dhcp src=10.0.0.3 request=2 sport=67 dport=68
			no icmpv6 type=134 src6=fe80::1
			no icmpv6 type=136 target=fd00::2
			yes icmpv6 type=136 target=fd00::1
			no arp spa=10.0.0.3
		END
	done
}

@test "a guest cannot say of itself that it serves" {
	configured 'serves = router'
	guest ip '10.0.0.1 fd00::1' serves y
	verdicts ipv4 <<<'no dhcp src=10.0.0.1 request=2 sport=67 dport=68'
}

@test "a tap of a guest that serves may serve, too" {
	configured 'serves = web'
	guest ip 10.0.0.1 vifname web
	vif_link vif1.0-emu tap1.0
	tap_add 1 0
	host ip link set tap1.0 up
	[[ "$(host "$root/tests/frames/send" tap1.0 other ipv4 <<<'dhcp src=10.0.0.1 request=2 sport=67 dport=68')" ]]
}

@test "with protocols=, other IP protocols pass or do not" {
	guest ip '10.0.0.1 fd00::1'
	verdicts ipv4 <<-'END'
		yes ipv4 proto=50                                      # ESP
		yes ipv6 proto=50
		yes ipv6 proto=132                                     # SCTP
		no ipv6 proto=51                                       # AH
		no ipv4 proto=112                                      # VRRP
	END
	configured 'protocols = ah vrrp 47'
	online 1 0
	verdicts ipv4 <<-'END'
		no ipv4 proto=50
		no ipv6 proto=50
		no ipv6 proto=132
		yes ipv6 proto=51
		yes ipv4 proto=112 dst=224.0.0.18
		yes ipv4 proto=47
		no ipv4 proto=112 src=10.0.0.3
	END
	configured 'protocols = none'
	online 1 0
	verdicts ipv4 <<<'no ipv6 proto=50'
}

@test "no chain of headers carries an ICMPv6 message past the filter" {
	local chain many
	printf -v many 'd%.0s' {1..40}
	guest ip '10.0.0.1 fd00::1'
	for chain in h hd d dd "$many" a aa f fa F l dl lF t T r R A m H s u hA dA aA fA hm ar ra; do
		# Of a later fragment, the first one decides what it is; none such passes.
		[[ $chain == F ]] || printf 'no icmpv6 type=134 src6=fe80::216:3eff:fe00:1 chain=%s\n' "$chain"
		printf 'no icmpv6 type=134 src6=fd00::2 chain=%s\n' "$chain"
		[[ $chain == F ]] || printf 'no icmpv6 type=136 target=fd00::2 chain=%s\n' "$chain"
	done >"$BATS_TEST_TMPDIR/lines"
	verdicts ipv6 <"$BATS_TEST_TMPDIR/lines"
	verdicts ipv6 <<-'END'
		no icmpv6 type=134 length=0
		no icmpv6 type=134 length=4
		no icmpv6 type=134 length=1400
		no icmpv6 type=134 chain=h length=0
	END
}

@test "frames that are cut short, or are not what their type says, are dropped" {
	guest ip '10.0.0.1 fd00::1'
	verdicts ipv4 <<-'END'
		no ipv4 version=6
		no ipv4 src=10.0.0.3 words=4
		no ipv4 words=4
		no ipv4 src=10.0.0.3 cut=12
		no ipv4 cut=16
		no ipv6 cut=30
		no ipv6 cut=1
		no icmpv6 type=136 target=fd00::2 cut=58               # its target is not all there
		no arp cut=14
		no arp hlen=0
		no arp op=8
		no other ether=86dd data=450000200001000040110000
		no other ether=0800 data=600000000010
		no other ether=8035                                    # RARP
		no other ether=0030 data=aaaa03000000080045            # IPv4 behind LLC and SNAP
		no other ether=0026 data=424203 to=01:80:c2:00:00:00   # spanning tree
		no other ether=88cc to=01:80:c2:00:00:0e               # LLDP
		no other ether=8808 to=01:80:c2:00:00:01               # pause
		no other ether=8847
		no other ether=8863
		no other ether=888e
		no other ether=9100 data=000a0800
		no ipv4 mac=01:16:3e:00:00:01
		no arp tag=81000000 op=2 spa=10.0.0.3
		no ipv4 src=10.0.0.3 tag=88a8000a8100000a
	END
}

@test "what a host sends to others still passes" {
	guest ip '10.0.0.1 fd00::1'
	verdicts ipv4 <<-'END'
		yes ipv4 proto=6                                       # TCP
		yes ipv4 dport=4500 sport=4500                         # IPsec in UDP
		yes ipv4 dport=500 sport=500                           # its key exchange
		yes ipv4 dport=5353 dst=224.0.0.251                    # mDNS
		yes ipv4 more=1                                        # a large packet's first fragment
		yes ipv4 offset=1480                                   # and its last one
		yes icmp
		yes icmp type=0
		yes icmp type=3                                        # unreachable, and a path's MTU
		yes icmp type=11
		yes icmp offset=1480                                   # of a large ping
		yes igmp type=18                                       # reports of each version, and a leave
		yes igmp type=22
		yes igmp type=34
		yes igmp type=23
		yes dhcp
		yes dhcp src=10.0.0.1 dst=10.0.0.2                     # it renews its lease
		yes ipv4 options=830704 dport=7 data=00 words=6        # a source route, which hosts and routers ignore
		yes ipv6 proto=6
		yes ipv6 proto=6 src6=fe80::216:3eff:fe00:1
		yes ipv6 dport=4500 sport=4500
		yes ipv6 chain=f dport=2
		yes ipv6 chain=F dport=2
		yes ipv6 chain=r
		yes icmpv6 type=1
		yes icmpv6 type=2                                      # a path's MTU
		yes icmpv6 type=3
		yes icmpv6 type=4
		yes icmpv6 type=128
		yes icmpv6 type=129
		yes icmpv6 type=131 chain=h
		yes icmpv6 type=132 chain=h
		yes icmpv6 type=133
		yes icmpv6 type=135 target=fd00::9
		yes icmpv6 type=136
		yes icmpv6 type=143 chain=h
		yes dhcpv6 message=1
		yes dhcpv6 message=3
		yes dhcpv6 message=5
		yes dhcpv6 message=8
		yes dhcpv6 message=11
	END
}
