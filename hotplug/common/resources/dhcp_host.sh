# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-only
# The guest's entry in dnsmasq, the DHCP server: its IPv4 address and its name.
# dnsmasq gives the interface's own address as the router by default. Each guest
# has a file in a directory that dnsmasq reads; unless the administrator has
# created that (docs/vif-nat.md), there is no DHCP.

dhcp_host_directory=/run/xen-dhcp # dnsmasq's dhcp-hostsdir
dhcp_host_pid_file=/run/dnsmasq/dnsmasq.pid

dhcp_host_arguments='MAC ADDRESSES'

# dhcp_host_acquire <MAC address> <addresses, the guest's own first>
dhcp_host_acquire() {
	local name=dom$domid file=$dhcp_host_directory/$type$domid.$devid
	[[ -d $dhcp_host_directory && ${2%% *} != *:* ]] || return 0
	[[ $1 ]] || fail "There can be no DHCP for $device_id, as the node $XENBUS_PATH/mac is missing; attach the interface again."
	((devid == 0)) || name+=-$((devid + 1))
	[[ $type_if != tap ]] || file+=-emu
	journal_remember file "$file"
	dhcp_host_write "$file" "$1,${2%%[/ ]*},$name" ||
		fail "Cannot write $file; see whether that file system is full or read-only."
	dhcp_host_reload
}

# dhcp_host_release <MAC address> <addresses>
dhcp_host_release() {
	local file
	journal_recall file file
	[[ $file ]] || return 0
	helper forget "$file" || return
	dhcp_host_reload
}

# dhcp_host_sweep <MAC address> <addresses>
dhcp_host_sweep() {
	dhcp_host_release "$@"
}

# dhcp_host_write <file> <line>
# The file is world-readable, because dnsmasq does not run as root.
dhcp_host_write() {
	local status=0
	umask 022
	printf '%s\n' "$2" 2>/dev/null >"$1" || status=1
	umask 077
	return "$status"
}

# dhcp_host_reload
# dnsmasq notices new files by itself, and removed or changed ones at SIGHUP. If it
# does not run, it reads all files when it starts.
dhcp_host_reload() {
	local pid command
	read -r pid 2>/dev/null <"$dhcp_host_pid_file" || return 0
	[[ $pid =~ ^[1-9][0-9]*$ ]] && read -r command 2>/dev/null <"/proc/$pid/comm" || return 0
	[[ $command != dnsmasq ]] || kill -HUP "$pid" 2>/dev/null || :
}
