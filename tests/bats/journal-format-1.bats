# SPDX-License-Identifier: LGPL-2.1-only
# Journals of format 1, as the framework wrote them up to commit 797d8d9: without a
# record of the format, and with "leave" after a detach that failed. A host that is
# updated has devices with these. The journals here were written by that commit.

load ../lib/host
load ../lib/observe
load ../lib/enumerate
load ../lib/routed
load ../lib/iscsi

teardown() {
	local status=0
	routed_stop
	host_stop || status=1
	[[ ! ${ISCSI-} ]] || iscsi_stop || status=1
	return "$status"
}

# old_journal <name of the journal> [record that a failed detach has added]
# The device's journal becomes that of standard input, and of that record: a record
# a line, with | behind each field.
old_journal() {
	local journal=$BATS_TEST_TMPDIR/run/xen-hotplug/$1
	[[ -s $journal ]]
	{ cat && printf '%s' "${2:+$2$'\n'}"; } | tr '|\n' '\0\0' >"$journal.new"
	mv "$journal.new" "$journal"
}

# index_of <interface>
index_of() {
	cat "$host_root/sys/class/net/$1/ifindex"
}

# nat_journal [record]
# That of vif-nat for device 1/0 with ip=198.51.100.5 and vifname=web.
nat_journal() {
	old_journal vif-1-0 "$@" <<-END
		use|3|interface|vif1.0|web|
		note|2|ifindex|$(index_of web)|
		use|2|nat_address|198.51.100.5|
		use|4|address_filter|web|00:16:3e:00:00:01|198.51.100.5|
		note|2|chain|vif1.0|
		use|4|forwarding|web|translated|198.51.100.5|
		use|2|masquerade|198.51.100.5|
		note|4|with|nftables|masqueraded addresses|198.51.100.5|
		use|6|routed|web|198.51.100.5|||198.51.100.132 |
		note|2|ifindex|$(index_of web)|
		use|3|dhcp_host|00:16:3e:00:00:01|198.51.100.5|
		use|1|hooks|
		note|14|called|y|vif|vif1.0|vifname|web|dev|web|mac|00:16:3e:00:00:01|main_ip|198.51.100.132|ip|198.51.100.5|
	END
}

# route_journal [record]
# That of vif-route for device 1/0 with ip=198.51.100.5 and vifname=web.
route_journal() {
	old_journal vif-1-0 "$@" <<-END
		use|3|interface|vif1.0|web|
		note|2|ifindex|$(index_of web)|
		use|4|address_filter|web|00:16:3e:00:00:01|198.51.100.5|
		note|2|chain|vif1.0|
		use|5|routed|web|198.51.100.5|||
		note|6|gateway|$(index_of eth0) eth0|proxies $(index_of eth0) eth0|198.51.100.5|needs $(index_of eth0) eth0|198.51.100.5|
		note|2|ifindex|$(index_of web)|
		use|4|forwarding|web|routed|198.51.100.5|
		use|1|hooks|
		note|14|called|y|vif|vif1.0|vifname|web|dev|web|mac|00:16:3e:00:00:01|main_ip|192.0.2.1|ip|198.51.100.5|
	END
}

# each_end <record that a failed detach has added> <function>
# Calls the function for a journal of a device that is attached, for one after a
# detach that failed, and for one whose last record a kill has truncated.
each_end() {
	local end
	for end in '' "$1" note\|2\|key; do
		"$2" "$end"
	done
}

# detaches_nat <record>
detaches_nat() {
	vif_nodes 1 0 ip 198.51.100.5 vifname web
	nat_online 1 0
	nat_online 2 0
	nat_journal "$1"
	nat_offline 1 0
	host nft list ruleset | grep 'elements = { 198.51.100.8 }'
	nat_offline 2 0
	assert_unrouted
}

@test "what vif-nat attached with a journal of format 1 is detached" {
	routed_host
	vif 1 0
	vif 2 0 ip 198.51.100.8
	each_end 'leave|2|masqueraded addresses||' detaches_nat
}

# goes_after_nat <record>
# The new one sees the addresses of the old one, unless that has left.
goes_after_nat() {
	local elements='198.51.100.5, 198.51.100.8'
	[[ $1 != leave* ]] || elements=198.51.100.8
	vif_nodes 1 0 ip 198.51.100.5 vifname web
	nat_online 1 0
	nat_journal "$1"
	nat_online 2 0
	host nft list ruleset | grep "elements = { $elements }"
	nat_offline 2 0
	nat_offline 1 0
	assert_unrouted
}

@test "the addresses of a journal of format 1 stay masqueraded, unless its device has left" {
	routed_host
	vif 1 0
	vif 2 0 ip 198.51.100.8
	each_end 'leave|2|masqueraded addresses||' goes_after_nat
}

# detaches_route <record>
# Both have one address, and the last one to go removes its proxy.
detaches_route() {
	vif_nodes 1 0 ip 198.51.100.5 vifname web
	route_online 1 0
	route_online 2 0
	route_journal "$1"
	route_offline 1 0
	[[ $(proxies) == '198.51.100.5 dev eth0 '* ]]
	route_offline 2 0
	assert_unrouted
}

@test "what vif-route attached with a journal of format 1 is detached" {
	routed_host
	vif 1 0
	vif 2 0 ip 198.51.100.5
	each_end "leave|2|needs $(index_of eth0) eth0||" detaches_route
}

# detaches_bridge <record>
detaches_bridge() {
	online 1 0
	old_journal vif-1-0 "$1" <<-END
		use|3|interface|vif1.0|web|
		note|2|ifindex|$(index_of web)|
		use|5|address_filter|web|00:16:3e:00:00:01|10.0.0.1||
		note|2|chain|vif1.0|
		use|2|forwarding|web|
		use|5|bridge_port|web|xenbr0|||
		use|1|hooks|
	END
	offline 1 0
	[[ -e $host_root/sys/class/net/vif1.0 ]]
	run ! host nft list chain netdev xen_hotplug vif1.0
	assert_residue_free
}

@test "what vif-bridge attached with a journal of format 1 is detached" {
	host_start
	domain 1
	bridge xenbr0
	vif 1 0 vifname web ip 10.0.0.1
	each_end '' detaches_bridge
}

# detaches_multipath <record>
detaches_multipath() {
	local from='' to='' record
	iscsi_add 1 51712
	for record in "$portal session$1" "$other session$(($1 + 1))"; do
		from+="note|2|login $iqn ${record% *}|y|"$'\n'"note|2|record $iqn ${record% *}|y|"$'\n'
		from+="note|2|trying $iqn ${record% *}|y|"$'\n'"note|2|sessions $iqn ${record% *}|${record#* }|"$'\n'
		from+="note|2|trying $iqn ${record% *}||"$'\n'
	done
	to=$(iscsi_disk "$iqn" 1)\ $(iscsi_disk "$iqn" 1 "$other")
	old_journal vbd-1-51712 "$2" <<-END
		use|7|iscsi_session|$iqn|192.0.2.1+192.0.2.2|y|n|||
		note|2|portals|$portal $other|
		${from%$'\n'}
		use|3|iscsi_lun|$iqn||
		note|2|paths|${to//\/dev\//}|
		use|4|multipath|y|${to//\/dev\//}|w|
		note|6|wwid|naa.$iqn-1|map naa.$iqn-1|y|needs map naa.$iqn-1|y|
		use|3|disk|/dev/$MULTIPATH_MAP|w|
		note|2|token|c86c6ba5|
		note|4|kind|device|device|/dev/$MULTIPATH_MAP|
	END
	iscsi_remove 1 51712
	[[ ! $(multipath_paths) ]]
	iscsi_nothing_left
	xenstore-rm backend/vbd/1/51712/physical-device backend/vbd/1/51712/physical-device-path
}

@test "what block-iscsi attached with multipath and a journal of format 1 is detached" {
	local session=1 end
	host_start
	domain 1
	iscsi_start
	other=192.0.2.2,3260
	iscsi_target "$iqn" "$portal" "$other"
	iscsi_lun "$iqn" 1
	multipath_start
	iscsi_vbd 1 51712 "iqn=$iqn,portal=192.0.2.1+192.0.2.2,multipath=y"
	for end in '' "leave|2|needs map naa.$iqn-1||" note\|2\|key; do
		detaches_multipath "$session" "$end"
		session=$((session + 2))
	done
}

@test "what block attached with a journal of format 1 is detached" {
	local token end
	host_start
	domain 1
	image disk.img
	for end in '' note\|2\|key; do
		vbd 1 51712 "$image"
		block_add 1 51712
		token=$(tr '\0' '\n' <"$BATS_TEST_TMPDIR/run/xen-hotplug/vbd-1-51712" | sed -n '/^token$/{n;p;}')
		old_journal vbd-1-51712 "$end" <<-END
			use|3|disk|$image|w|
			note|2|token|$token|
			note|4|kind|loop|device|$(loop_of "$image")|
		END
		block_remove 1 51712
		assert_residue_free
		xenstore-rm backend/vbd/1/51712
	done
}
