# SPDX-License-Identifier: LGPL-2.1-only
# The files in host/, which tell the host's own network managers to leave guests'
# interfaces alone. systemd's programs read them; NetworkManager is not tried,
# because its package would begin to manage the network of whoever runs the tests.

load ../lib/host
load ../lib/observe

setup() {
	host_start
	host ip tuntap add dev vif1.0-emu mode tap
	host ip link add vif1.0 type veth peer name guest1.0
	networks=$BATS_TEST_TMPDIR/network
	mkdir "$networks"
	cp /usr/lib/systemd/network/99-default.link "$networks"
	host mount --bind "$networks" /usr/lib/systemd/network
}

teardown() {
	[[ ! ${networkd-} ]] || kill "$networkd"
	host_stop
}

# udev_sets_up <interface>
# What systemd-udevd does with an interface that comes.
udev_sets_up() {
	host udevadm test-builtin net_setup_link "/sys/class/net/$1" 2>&1
}

@test "udev gives an emulated interface no MAC address and no name" {
	local before
	before=$(link vif1.0-emu .address)
	cp "$root/host/80-xen-vif.link" "$networks"
	[[ "$(udev_sets_up vif1.0-emu)" == *'ID_NET_LINK_FILE=/usr/lib/systemd/network/80-xen-vif.link'* ]]
	[[ "$(link vif1.0-emu .address)" == "$before" ]]
	[[ "$(udev_sets_up vif1.0)" == *'ID_NET_LINK_FILE=/usr/lib/systemd/network/80-xen-vif.link'* ]]
	[[ "$(udev_sets_up guest1.0)" == *'ID_NET_LINK_FILE=/usr/lib/systemd/network/99-default.link'* ]]
	rm "$networks/80-xen-vif.link"
	udev_sets_up vif1.0-emu
	[[ "$(link vif1.0-emu .address)" != "$before" ]]
}

# networkd_starts
# systemd-networkd, which is to give all interfaces an address. With /sys read-only, as
# in a container, it does not wait for udev.
networkd_starts() {
	printf '%s\n' '[Match]' 'Name=*' '[Network]' 'Address=10.99.0.1/24' >"$networks/90-all.network"
	host install -d -o systemd-network -g systemd-network /run/systemd/netif{,/links,/leases,/lldp}
	host mount -o remount,bind,ro /sys
	SYSTEMD_LOG_LEVEL=debug nsenter --target "$host_pid" --mount --net -- setpriv --pdeathsig KILL \
		/lib/systemd/systemd-networkd >"$BATS_TEST_TMPDIR/networkd" 2>&1 3>&- &
	networkd=$!
}

# networkd_has <interface> <state>
networkd_has() {
	grep -qE "$1: State changed: [a-z]+ -> $2" "$BATS_TEST_TMPDIR/networkd"
}

@test "systemd-networkd does not manage guests' interfaces, even if a file matches all" {
	cp "$root/host/80-xen-vif.network" "$networks"
	networkd_starts
	until_true networkd_has vif1.0 unmanaged
	until_true networkd_has vif1.0-emu unmanaged
	until_true networkd_has guest1.0 configuring
}

@test "without its file, systemd-networkd manages guests' interfaces" {
	networkd_starts
	until_true networkd_has vif1.0 configuring
}
