# SPDX-License-Identifier: LGPL-2.1-only
# ip=: the protocols of a host still work, with real clients. The guest is a namespace;
# the interface other is a server or router on its bridge.

load ../lib/host
load ../lib/enumerate
load ../lib/wire
load ../lib/routed

members=() # the guest's processes
routers=() # processes of keepalived

setup() {
	wire_host
	host ip address add 10.0.0.2/24 dev other
	host ip address add fd00::2/64 dev other nodad
}

teardown() {
	local status=0
	[[ ! ${dnsmasq-} ]] || kill "$dnsmasq"
	((${#members[@]} == 0)) || kill "${members[@]}"
	((${#routers[@]} == 0)) || kill "${routers[@]}"
	routed_stop
	wire_stop || status=1
	return "$status"
}

# guest_with <ip=> [address]...
# A guest that is attached with this ip=, and configures the addresses itself.
guest_with() {
	vif 1 0 bridge xenbr0 ip "$1"
	online 1 0
	space guest guest1.0 "${@:2}"
}

# dnsmasq_with <option>...
dnsmasq_with() {
	host dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=other --user=root \
		--leasefile-ro --pid-file "$@" 3>&- &
	dnsmasq=$!
}

# joins <level> <option of setsockopt> <address family> <request as hexadecimal>
# A process of the guest's joins a multicast group, until the test ends.
joins() {
	# shellcheck disable=SC2016 # perl's own
	inside guest setpriv --pdeathsig KILL perl -e '
		my ($level, $option, $family, $request) = @ARGV;
		socket my $socket, $family, 2, 0 or die "socket: $!";
		setsockopt $socket, $level, $option, pack "H*", $request or die "join: $!";
		sleep;
	' "$@" 3>&- &
	members+=("$!")
}

# mdb_has <group>
mdb_has() {
	[[ "$(host bridge mdb show dev xenbr0)" == *"port vif1.0 grp $1 "* ]]
}

# index_of <interface of the guest's>
# Its number in four bytes, as hexadecimal in this machine's order.
index_of() {
	inside guest ip -json link show "$1" | jq '.[].ifindex' | perl -ne 'print unpack "H*", pack "L", $_'
}

@test "a DHCP client gets its lease" {
	guest_with 10.0.0.1
	dnsmasq_with --dhcp-range=10.0.0.0,static --dhcp-host=00:16:3e:00:00:01,10.0.0.1
	program "$BATS_TEST_TMPDIR/lease" <<-'END'
		#!/bin/sh
		[ "$1" != bound ] || echo "leased $ip"
	END
	until_true inside guest busybox udhcpc -i guest1.0 -n -q -t 3 -T 1 -s "$BATS_TEST_TMPDIR/lease" >"$BATS_TEST_TMPDIR/said"
	grep -x 'leased 10.0.0.1' "$BATS_TEST_TMPDIR/said"
}

@test "a DHCP server in the guest serves nobody" {
	local other_mac
	guest_with 10.0.0.1 10.0.0.1/24
	read -r other_mac <"$host_root/sys/class/net/other/address"
	nsenter --target "${routed_spaces[guest]}" --net -- dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=guest1.0 \
		--user=root --leasefile-ro --pid-file --no-ping --dhcp-range=10.0.0.50,10.0.0.60 --log-dhcp --log-facility=- 3>&- 2>"$BATS_TEST_TMPDIR/server" &
	dnsmasq=$!
	until_true grep -q 'DHCP, IP range' "$BATS_TEST_TMPDIR/server"
	run host busybox udhcpc -i other -n -q -t 2 -T 1 -s /bin/true
	[[ "$status" -ne 0 ]]
	grep "DHCPOFFER.* $other_mac" "$BATS_TEST_TMPDIR/server"
}

@test "router solicitation and stateless address configuration work" {
	guest_with fd00::/64
	dnsmasq_with --enable-ra --dhcp-range=fd00::,ra-only
	until_true bash -c "[[ \$(nsenter --target ${routed_spaces[guest]} --net ip -6 address show dev guest1.0 scope global -tentative) ]]"
	until_true inside guest ping -q -c 1 -W 1 fd00::2
}

@test "neighbour discovery works in both directions, and duplicate address detection ends" {
	guest_with 'fd00::1 10.0.0.1' 10.0.0.1/24
	inside guest ip address add fd00::1/64 dev guest1.0
	until_true bash -c "[[ ! \$(nsenter --target ${routed_spaces[guest]} --net ip -6 address show dev guest1.0 tentative) ]]"
	[[ ! "$(inside guest ip -6 address show dev guest1.0 dadfailed)" ]]
	until_true host ping -q -c 1 -W 1 fd00::1
	host ip neighbour flush dev other
	until_true inside guest ping -q -c 1 -W 1 10.0.0.2
	until_true host ping -q -c 1 -W 1 -s 4000 10.0.0.1 # in fragments
	until_true host ping -q -c 1 -W 1 -s 4000 fd00::1
}

@test "the bridge learns of the multicast groups that the guest joins" {
	local index
	guest_with 'fd00::1 10.0.0.1' 10.0.0.1/24 fd00::1/64
	host ip link set xenbr0 type bridge mcast_snooping 1
	index=$(index_of guest1.0)
	joins 0 35 2 "ef0102030a000001$index"                   # IP_ADD_MEMBERSHIP
	joins 41 20 10 "ff050000000000000000000000001234$index" # IPV6_JOIN_GROUP
	until_true mdb_has 239.1.2.3
	until_true mdb_has ff05::1234
}

@test "the guest learns a path's MTU" {
	guest_with 'fd00::1 10.0.0.1' 10.0.0.1/24 fd00::1/64
	host sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	host ip link add far type veth peer name farther
	host ip link set farther up
	host ip address add 10.9.0.1/24 dev far
	host ip address add fd09::1/64 dev far nodad
	host ip link set far mtu 1300 up
	inside guest ip route add default via 10.0.0.2
	inside guest ip route add default via fd00::2
	until_true bash -c "nsenter --target ${routed_spaces[guest]} --net ping -q -c 1 -W 1 -M do -s 1372 10.9.0.9 >/dev/null
		[[ \$(nsenter --target ${routed_spaces[guest]} --net ip route get 10.9.0.9) == *'mtu 1300'* ]]"
	until_true bash -c "nsenter --target ${routed_spaces[guest]} --net ping -q -c 1 -W 1 -M do -s 1352 fd09::9 >/dev/null
		[[ \$(nsenter --target ${routed_spaces[guest]} --net ip route get fd09::9) == *'mtu 1300'* ]]"
}

# isc_client -4|-6
# Starts dhclient in the guest, which writes what it gets.
isc_client() {
	program "$BATS_TEST_TMPDIR/lease" <<-END
		#!/bin/sh
		case \$reason in PREINIT*) exec $(type -P ip) link set "\$interface" up ;; esac
		echo "\$reason \$new_ip_address\$new_ip6_address" >>$BATS_TEST_TMPDIR/said
	END
	: >"$BATS_TEST_TMPDIR/said"
	nsenter --target "${routed_spaces[guest]}" --net -- setpriv --pdeathsig KILL dhclient "$1" -d -cf /dev/null \
		-lf "$BATS_TEST_TMPDIR/leases$1" -pf "$BATS_TEST_TMPDIR/dhclient$1" -sf "$BATS_TEST_TMPDIR/lease" guest1.0 \
		>"$BATS_TEST_TMPDIR/dhclient.log" 2>&1 3>&- &
	members+=("$!")
}

@test "ISC's clients of DHCP and DHCPv6 get their leases" {
	guest_with '10.0.0.1 fd00::1'
	dnsmasq_with --enable-ra --dhcp-range=10.0.0.1,10.0.0.1 --dhcp-range=fd00::1,fd00::1
	isc_client -4
	until_true grep -qx 'BOUND 10.0.0.1' "$BATS_TEST_TMPDIR/said"
	until_true inside guest bash -c '! ip -6 address show dev guest1.0 tentative | grep -q fe80'
	isc_client -6
	until_true grep -qx 'BOUND6 fd00::1' "$BATS_TEST_TMPDIR/said"
}

@test "rdisc6 finds the router, and ndisc6 a neighbour" {
	guest_with fd00::1 fd00::1/64
	dnsmasq_with --enable-ra --dhcp-range=fd00::,ra-only
	until_true inside guest bash -c '! ip -6 address show dev guest1.0 tentative | grep -q fe80'
	until_true bash -c "[[ \$(nsenter --target ${routed_spaces[guest]} --net rdisc6 --single guest1.0) == *'Prefix '*'fd00::/64'* ]]"
	until_true bash -c "[[ \$(nsenter --target ${routed_spaces[guest]} --net ndisc6 --single fd00::2 guest1.0) == *'Target link-layer address:'* ]]"
}

@test "packets to the ports of IPsec in UDP pass" {
	local port
	guest_with '10.0.0.1 fd00::1' 10.0.0.1/24 fd00::1/64
	for port in 500 4500; do
		# shellcheck disable=SC2016 # perl's own
		host timeout "$generous" perl -MIO::Socket::INET -e '
			my $socket = IO::Socket::INET->new(Proto => "udp", LocalPort => shift) or die "socket: $!";
			print STDERR "ready\n"; $socket->recv(my $text, 99); print $text' "$port" \
			>"$BATS_TEST_TMPDIR/got-$port" 2>"$BATS_TEST_TMPDIR/ready-$port" 3>&- &
		until_true grep -q ready "$BATS_TEST_TMPDIR/ready-$port"
		inside guest bash -c "printf %s $port-from-guest >/dev/udp/10.0.0.2/$port"
		wait "$!"
		[[ "$(<"$BATS_TEST_TMPDIR/got-$port")" == "$port-from-guest" ]]
	done
}

# vrrp_of <namespace's process id> <interface> <priority>
# keepalived as a router of the address 10.0.0.100.
vrrp_of() {
	printf '%s\n' "vrrp_instance one {" "interface $2" 'virtual_router_id 7' "priority $3" 'advert_int 0.2' \
		'virtual_ipaddress { 10.0.0.100/24 }' '}' >"$BATS_TEST_TMPDIR/$2.conf"
	nsenter --target "$1" --net -- setpriv --pdeathsig KILL keepalived --vrrp --dont-fork --log-console --no-syslog --use-file="$BATS_TEST_TMPDIR/$2.conf" \
		--pid="$BATS_TEST_TMPDIR/$2.pid" --vrrp_pid="$BATS_TEST_TMPDIR/$2.vrrp" >"$BATS_TEST_TMPDIR/$2.log" 2>&1 3>&- &
	routers+=("$!")
}

# vrrp_is <interface> MASTER|BACKUP
# The last state that its keepalived told.
vrrp_is() {
	[[ "$(grep -o 'Entering [A-Z]* STATE' "$BATS_TEST_TMPDIR/$1.log" | tail -n 1)" == "Entering $2 STATE" ]]
}

@test "VRRP of a guest passes if hotplug.conf lets it serve, and not otherwise" {
	tree_copy
	cp "$real_helper" "$tree/helpers/xen-hotplug"
	printf 'serves = 00:16:3e:00:00:01\n' >"$tree/hotplug/hotplug.conf"
	guest_with '10.0.0.1 10.0.0.100' 10.0.0.1/24
	vrrp_of "$host_pid" other 100
	until_true vrrp_is other MASTER
	vrrp_of "${routed_spaces[guest]}" guest1.0 200
	until_true vrrp_is other BACKUP
	host ip neighbour flush dev other
	until_true host ping -q -c 1 -W 1 10.0.0.100
	: >"$tree/hotplug/hotplug.conf"
	online 1 0
	until_true vrrp_is other MASTER
	vrrp_is guest1.0 MASTER
}
